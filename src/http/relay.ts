import type { IncomingMessage, ServerResponse } from 'node:http';
import { WorkerError } from '../errors.js';
import type { Sink } from '../upstream.js';
import type { Sent } from './sent.js';
import { isWhole } from './whole.js';

/**
 * What of a client's headers the model server gets. Never its query, Authorization, Cookie, Forwarded or
 * Host: the public client sends the user's API key in the first two.
 */
const PASSED_ON = ['accept', 'content-type', 'traceparent'] as const;

/** Headers that are about one connection, and mean nothing on the next. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What pages may read of this worker is not for the model server to say: some of them say that all may. */
const CORS = 'access-control-';

/** The headers with which a client's request goes on to the model server. */
export function headersFor({ headers }: IncomingMessage): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = headers[name];
    if (typeof value === 'string') passed[name] = value;
  }
  return passed;
}

/** A sink that hands the model's answer to the client, bytes untouched. */
export function sinkOf(response: ServerResponse, sent: Sent): Sink {
  let hasBegun = false;
  return {
    start: (status, headers) => {
      writeHead(response, status, passedOn(headers));
      // Headers travel with the first piece of the body, unless that is not here yet.
      process.nextTick(() => {
        if (!hasBegun && !response.writableEnded) response.flushHeaders();
      });
    },
    write: (chunk) => {
      hasBegun = true;
      sent.add(chunk.length);
      return response.write(chunk);
    },
    onDrain: (listener) => void response.on('drain', listener),
    // At once: what the model server sent in one piece, its end included, then leaves in one piece as well.
    end: () => void response.end(),
  };
}

/**
 * Resolves when the client's connection has taken all of an answer that was ended.
 *
 * @throws {WorkerError} `client_closed_request`
 */
export function taken(response: ServerResponse): Promise<void> {
  if (isWhole(response)) return Promise.resolve();
  if (response.destroyed) return Promise.reject(new WorkerError('client_closed_request'));
  return new Promise((resolve, reject) => {
    response.once('finish', () => isWhole(response) && resolve());
    response.once('close', () => {
      // After every answer: only one that was cut is worth an error, which costs a stack.
      if (!isWhole(response)) reject(new WorkerError('client_closed_request'));
    });
  });
}

/** Where other headers were set before, Node keeps but the last of several that `writeHead` is given under one name. */
function writeHead(response: ServerResponse, status: number, headers: string[]): void {
  if (response.getHeaderNames().length === 0) {
    response.writeHead(status, headers);
    return;
  }
  for (let index = 0; index + 1 < headers.length; index += 2) {
    response.appendHeader(headers[index] ?? '', headers[index + 1] ?? '');
  }
  response.writeHead(status);
}

/** Names and values in turn, without what is about the connection to the model server. */
function passedOn(headers: readonly string[]): string[] {
  const passed: string[] = [];
  let named: string[] | undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const [name = '', value = ''] = [headers[index], headers[index + 1]];
    const lower = name.toLowerCase();
    if (lower === 'connection') named = [...(named ?? []), ...namesIn(value)];
    else if (!HOP_BY_HOP.has(lower) && !lower.startsWith(CORS)) passed.push(name, value);
  }
  return named === undefined ? passed : without(passed, named);
}

/** A `Connection` header names others that are about the connection, wherever they stand. */
function namesIn(value: string): string[] {
  return value.split(',').map((each) => each.trim().toLowerCase());
}

function without(headers: readonly string[], names: readonly string[]): string[] {
  return headers.filter((_, index) => !names.includes((headers[index - (index % 2)] ?? '').toLowerCase()));
}
