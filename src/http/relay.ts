import type { IncomingMessage, ServerResponse } from 'node:http';
import { WorkerError } from '../errors.js';
import { relayHead } from '../net/relay-head.js';
import type { Sink } from '../upstream.js';
import type { Sent } from './sent.js';
import { isWhole } from './whole.js';

/**
 * What of a client's headers the model server gets. Never its query, Authorization, Cookie, Forwarded or
 * Host: the public client sends the user's API key in the first two.
 */
const PASSED_ON = ['accept', 'content-type', 'traceparent'] as const;

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
      relayHead(response, status, headers);
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
