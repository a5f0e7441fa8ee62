import { z } from 'zod';
import { amount, MAX_WORK } from '../../dialects/fields.js';
import { WorkerError } from '../../errors.js';
import type { RoutedAnswer } from '../routing.js';

/** What a client sent for the model. */
export interface Payload {
  /** Its own text: what a worker gets. */
  readonly bytes: Uint8Array;
  /** The tokens that it asks for, at the most. */
  readonly cost: number;
}

/** The work of what does not say how long its answer may be, as workers count it. */
const DEFAULT_COST = 100;

/** By the names that each of OpenAI's routes has for it, the newer before the older. */
const LIMITS = ['max_completion_tokens', 'max_output_tokens', 'max_tokens'];

const anObject = z.record(z.string(), z.unknown());

/** @throws {WorkerError} `invalid_json`, `invalid_request` */
export function readPayload(bytes: Uint8Array): Payload {
  const read = anObject.safeParse(parse(bytes));
  if (!read.success) throw new WorkerError('invalid_request', 'body: expected an object');
  return { bytes, cost: costOf(read.data) };
}

/** The body of a request to a worker. The signature goes with the client's text as it came. */
export function envelopeOf(route: RoutedAnswer, { bytes }: Payload): Buffer {
  const head = `{"auth_data":${JSON.stringify(route)},"session_id":null,"payload":`;
  return Buffer.concat([Buffer.from(head), bytes, Buffer.from('}')]);
}

/** What is no number of tokens is for the model server to refuse. */
function costOf(payload: Readonly<Record<string, unknown>>): number {
  const limits = LIMITS.map((name) => amount.safeParse(payload[name]).data);
  return Math.min(limits.find((limit) => limit !== undefined) ?? DEFAULT_COST, MAX_WORK);
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new WorkerError('invalid_json', undefined, { cause });
  }
}
