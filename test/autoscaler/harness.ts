import { generateKeyPairSync } from 'node:crypto';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { LocalAutoscaler, type LocalAutoscalerOptions } from '../../src/autoscaler/index.js';

/** Of all autoscalers of a test process: to make one takes a busy machine seconds. */
export const SIGNING_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString();

/** A started autoscaler on a free port, stopped when the test ends. */
export async function startAutoscaler(options: LocalAutoscalerOptions = {}): Promise<LocalAutoscaler> {
  const autoscaler = new LocalAutoscaler({ port: 0, privateKey: SIGNING_KEY, ...options });
  onTestFinished(() => autoscaler.stop());
  await autoscaler.start();
  return autoscaler;
}

/** Monotonic time that stands still until it is told to move. */
export function handClock(): { now: () => number; advance: (ms: number) => void } {
  let nowMs = 1_000;
  return {
    now: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** Posts a body as JSON to `/worker_status/`. */
export function report(autoscaler: LocalAutoscaler, body: unknown, init: RequestInit = {}): Promise<Answer> {
  return send(`${autoscaler.url}/worker_status/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...init,
  });
}

/** Sends bytes over a connection of its own: what came back, and how the connection ended. */
export function exchange(port: number, bytes: string): Promise<{ received: string; ended: string }> {
  return new Promise((resolve) => {
    let received = '';
    let ended = 'closed';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      ended = error.code ?? error.message;
    });
    socket.on('close', () => resolve({ received, ended }));
  });
}

/** The bytes of a report, for {@link exchange}. */
export function rawReport(body: unknown): string {
  const json = JSON.stringify(body);
  return (
    'POST /worker_status/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
    `Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`
  );
}

/** Asks for a route with the right key in the body, unless the fields say otherwise. */
export function ask(
  autoscaler: LocalAutoscaler,
  fields: Record<string, unknown> = {},
  init: RequestInit = {},
): Promise<Answer> {
  const { apiKey: api_key, endpoint } = autoscaler;
  const body = { endpoint, api_key, cost: 100, request_idx: 0, replay_timeout: 60, ...fields };
  return postJson(`${autoscaler.url}/route/`, body, init);
}

/** Tells finished requests, as a worker does. */
export function tellFinished(autoscaler: LocalAutoscaler, body: unknown, init: RequestInit = {}) {
  return postJson(`${autoscaler.url}/delete_requests/`, body, init);
}

export function postJson(url: string, body: unknown, init: RequestInit = {}): Promise<Answer> {
  return send(url, {
    method: 'POST',
    body: JSON.stringify(body),
    ...init,
    headers: { 'content-type': 'application/json', ...Object(init.headers) },
  });
}
