import type { ServerResponse } from 'node:http';
import { toJson } from '../net/write.js';
import { writeInPieces } from './pieces.js';
import type { Sent } from './sent.js';
import { unlessAborted } from './unless-aborted.js';

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
  sent: Sent,
): Promise<void> {
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await unlessAborted(iterator.next(), signal);
      if (done) break;
      // First of all: the first piece may be one that can't be written.
      const encoded = encode(value);
      if (!response.headersSent) response.writeHead(200, { 'Content-Type': typeOf(value) });
      if (response.req.method === 'HEAD') {
        // Who wants no more than the head must not keep a handler that may never end.
        end(iterator);
        break;
      }
      await writeInPieces(response, encoded, signal, sent);
    }
    if (!response.headersSent) response.writeHead(204);
    response.end();
  } catch (error) {
    end(iterator);
    throw error;
  }
}

/** Not waited for: a handler that hangs would not hear of it. */
function end(iterator: AsyncIterator<unknown>): void {
  void Promise.resolve(iterator.return?.()).catch(() => {});
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
