import { setTimeout as delay } from 'node:timers/promises';
import { request as send } from 'undici';
import { z } from 'zod';
import { duration, positive, url } from '../../config/types.js';
import { messageInLine, messageOf } from '../../errors.js';
import { apiKeyOf } from '../api-key.js';
import { EXIT, UserError } from '../exit.js';
import { type Io, print } from '../io.js';
import { parseOption } from '../options.js';

export interface RequestOptions {
  readonly autoscaler: string;
  readonly endpoint: string;
  readonly cost: string;
  readonly timeout: string;
  readonly apiKey?: string;
}

const POLL_MS = 500;

const routeSchema = z.union([
  z.object({
    endpoint: z.string(),
    url: z.string(),
    cost: z.number(),
    reqnum: z.number(),
    request_idx: z.number(),
    signature: z.string(),
  }),
  z.object({ endpoint: z.string(), status: z.string(), request_idx: z.number() }),
]);

type Route = Exclude<z.infer<typeof routeSchema>, { status: string }>;

/** Sends one request as a client does: asks the autoscaler for a worker, then the worker, and prints its answer. */
export async function request(path: string, json: string, options: RequestOptions, io: Io): Promise<number> {
  const autoscalerUrl = parseOption('--autoscaler', options.autoscaler, url);
  const cost = parseOption('--cost', options.cost, positive);
  const timeoutMs = parseOption('--timeout', options.timeout, duration);
  const apiKey = apiKeyOf(options.apiKey, io);
  if (!path.startsWith('/')) throw new UserError(`the path of a route begins with a slash: /${path}`);
  expectJson(json);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const route = await findWorker({ autoscalerUrl, apiKey, endpoint: options.endpoint, cost, signal }, io);
    return await ask(route, path, json, signal, io);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = signal.aborted ? `it took longer than ${options.timeout} (--timeout)` : messageOf(error);
    throw new UserError(`the request failed: ${reason}.`, EXIT.failed.code);
  }
}

interface Ask {
  readonly autoscalerUrl: string;
  readonly apiKey: string;
  readonly endpoint: string;
  readonly cost: number;
  readonly signal: AbortSignal;
}

async function findWorker({ autoscalerUrl, apiKey, endpoint, cost, signal }: Ask, io: Io): Promise<Route> {
  let [requestIdx, told] = [0, ''];
  for (;;) {
    const answer = await send(`${autoscalerUrl}/route/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` },
      body: JSON.stringify({ endpoint, api_key: apiKey, cost, request_idx: requestIdx, replay_timeout: 60 }),
      signal,
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) {
      throw new UserError(`the autoscaler answered ${answer.statusCode}: ${text}`, EXIT.failed.code);
    }
    const route = parseRoute(text);
    if ('url' in route) return route;
    requestIdx = route.request_idx;
    if (route.status !== told) io.stderr.write(`no worker is ready yet: ${route.status}\n`);
    told = route.status;
    await delay(POLL_MS, undefined, { signal });
  }
}

function parseRoute(text: string) {
  const route = routeSchema.safeParse(parseOrNull(text));
  if (!route.success) throw new UserError(`the autoscaler gave no route but: ${text}`, EXIT.failed.code);
  return route.data;
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function ask(
  route: Route,
  path: string,
  payload: string,
  signal: AbortSignal,
  io: Io,
): Promise<number> {
  const answer = await send(route.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // The payload as it was given: what JavaScript makes of a large number is another one.
    body: `{"auth_data":${JSON.stringify(route)},"payload":${payload},"session_id":null}`,
    signal,
    // A model may take its time between two tokens; the time-out of the whole is the one that counts.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const isOk = answer.statusCode < 400;
  if (!isOk) io.stderr.write(`the worker answered ${answer.statusCode}\n`);
  const decoder = new TextDecoder();
  for await (const chunk of answer.body) await print(decoder.decode(chunk as Buffer, { stream: true }), io);
  await print(`${decoder.decode()}\n`, io);
  return isOk ? EXIT.ok.code : EXIT.failed.code;
}

function expectJson(payload: string): void {
  try {
    JSON.parse(payload);
  } catch (error) {
    throw new UserError(`the payload is not JSON: ${messageInLine(error)}.`);
  }
}
