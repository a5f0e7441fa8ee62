import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Abortable } from '../cancellation.js';
import type { Sent } from './sent.js';
import { unlessAborted } from './unless-aborted.js';

/** As much as is written at once. */
export const PIECE_BYTES = 64 * 1024;

/**
 * Writes no faster than the client takes it, and in pieces: of what is written at once it can't be seen whether any
 * of it goes.
 *
 * @throws what the signal is aborted with
 */
export async function writeInPieces(
  response: ServerResponse,
  written: string | Uint8Array,
  signal: Abortable,
  sent: Sent,
): Promise<void> {
  for (const piece of piecesOf(written)) {
    sent.add(Buffer.byteLength(piece));
    if (!response.write(piece)) await unlessAborted(once(response, 'drain'), signal);
  }
}

function piecesOf(written: string | Uint8Array): readonly (string | Uint8Array)[] {
  if (Buffer.byteLength(written) <= PIECE_BYTES) return [written];
  const bytes = typeof written === 'string' ? Buffer.from(written) : written;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) pieces.push(bytes.subarray(at, at + PIECE_BYTES));
  return pieces;
}
