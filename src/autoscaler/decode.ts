import { type CurrentMessage, decodeCurrent, looksCurrent } from '../dialects/current/decode.js';
import type { Decoded } from '../dialects/fields.js';
import { decodeLegacy, type LegacyMessage } from '../dialects/legacy/decode.js';

/** One message of a worker, whichever dialect it speaks. */
export type StatusMessage = LegacyMessage | CurrentMessage;

export type Dialect = StatusMessage['dialect'];
export type MessageKind = StatusMessage['kind'];

export type DecodedStatus = Decoded<StatusMessage>;

/** Reads the parsed JSON body of `POST /worker_status/`; the dialect is told from its fields. Never throws. */
export function decodeStatus(body: unknown): DecodedStatus {
  if (!isRecord(body)) return { ok: false, field: 'body', problem: 'Invalid input: expected a JSON object' };
  return looksCurrent(body) ? decodeCurrent(body) : decodeLegacy(body);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
