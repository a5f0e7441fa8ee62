import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { isStream } from '../backend/index.js';
import { asWorkerError, WorkerError } from '../errors.js';
import { begin, finish, toJson, write } from '../net/write.js';
import { answerStream } from './answer-stream.js';
import { PIECE_BYTES, writeInPieces } from './pieces.js';
import type { Sent } from './sent.js';
import { isWhole } from './whole.js';

/**
 * Answers what a handler returned, and waits until the client has it: a string as text, bytes as
 * bytes, undefined as 204, what can be iterated over as a stream, anything else as JSON.
 *
 * @param onMade hears when the handler has nothing more to do for it
 * @throws when the result can't be written as JSON, the connection is lost, or the signal is aborted
 */
export async function answer(
  response: ServerResponse,
  result: unknown,
  signal: AbortSignal,
  sent: Sent,
  onMade: () => void = () => {},
): Promise<void> {
  signal.throwIfAborted();
  if (isStream(result)) {
    await answerStream(response, result, signal, sent);
    onMade();
  } else if (result === undefined) {
    onMade();
    response.writeHead(204).end();
  } else {
    const [type, bytes] = encoded(result);
    onMade();
    await answerWhole(response, type, bytes, signal, sent);
  }
  await finished(response, { signal });
  if (!isWhole(response)) throw new WorkerError('client_closed_request');
}

async function answerWhole(
  response: ServerResponse,
  type: string,
  bytes: Uint8Array,
  signal: AbortSignal,
  sent: Sent,
): Promise<void> {
  if (bytes.length <= PIECE_BYTES) {
    write(response, 200, type, bytes);
    sent.add(bytes.length);
    return;
  }
  begin(response, 200, type, bytes.length);
  await writeInPieces(response, bytes, signal, sent);
  finish(response);
}

/** How a result that is neither a stream nor nothing is written. */
function encoded(result: unknown): readonly [type: string, bytes: Uint8Array] {
  if (typeof result === 'string') return ['text/plain; charset=utf-8', Buffer.from(result)];
  if (result instanceof Uint8Array) return ['application/octet-stream', result];
  return ['application/json; charset=utf-8', toJson(result)];
}

/** Turns anything that was thrown into an error that a client can be told. */
export function toWorkerError(error: unknown): WorkerError {
  return asWorkerError(error) ?? new WorkerError('backend_error', undefined, { cause: error });
}
