import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { toJson } from '../net/write.js';

/** Whether a handler's result is to be answered piece by piece. Bytes are a whole, although they can be iterated over. */
export function isStream(result: unknown): result is AsyncIterable<unknown> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}

/**
 * Answers what a handler yields, piece by piece and no faster than the client reads: text and bytes as they
 * are, anything else as one line of JSON each. What the first piece is decides the content type. Whatever
 * fails before it is still answered as an error.
 *
 * @throws what the handler throws, or what the signal is aborted with; the handler is told to end
 */
export async function answerStream(
  response: ServerResponse,
  pieces: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await unlessAborted(iterator.next(), signal);
      if (done) break;
      // First of all: the first piece may be one that can't be written.
      const encoded = encode(value);
      if (!response.headersSent) response.writeHead(200, { 'Content-Type': typeOf(value) });
      if (!response.write(encoded)) await unlessAborted(once(response, 'drain'), signal);
    }
    if (!response.headersSent) response.writeHead(204);
    response.end();
  } catch (error) {
    // Not waited for: a handler that hangs would not hear of it.
    void Promise.resolve(iterator.return?.()).catch(() => {});
    throw error;
  }
}

function typeOf(piece: unknown): string {
  if (typeof piece === 'string') return isEvent(piece) ? 'text/event-stream' : 'text/plain; charset=utf-8';
  return piece instanceof Uint8Array ? 'application/octet-stream' : 'application/x-ndjson';
}

/** Server-sent events are text of a form that no one writes by chance. */
function isEvent(text: string): boolean {
  return /^(data|event|id|retry): ?[^\n]*\n/.test(text);
}

function encode(piece: unknown): string | Uint8Array {
  if (typeof piece === 'string' || piece instanceof Uint8Array) return piece;
  return `${toJson(piece)}\n`;
}

/**
 * What a promise resolves with, unless the signal is aborted first. One promise of the abort for the whole stream
 * would do, but each race with it would be kept to its end, and every piece with it.
 */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abandon = () => reject(signal.reason);
    if (signal.aborted) abandon();
    else signal.addEventListener('abort', abandon, { once: true });
    const forget = () => signal.removeEventListener('abort', abandon);
    Promise.resolve(promise).then(resolve, reject).finally(forget);
  });
}
