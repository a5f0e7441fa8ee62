import { z } from 'zod';
import { amount, count, type Decoded, decodeWith, told, workerId } from '../fields.js';

/**
 * The `legacy` dialect as an autoscaler reads it: the parsed JSON body of `POST /worker_status/`
 * becomes one typed message. The wire has no tag, so the kind is told from the fields. Wire names
 * are kept, misspellings included; fields that are not known here are left out.
 */

const sender = { dialect: z.literal('legacy'), id: workerId, mtoken: z.string().optional() };

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('loaded'), ...sender, loadtime: amount, max_perf: told }),
  z.object({ kind: z.literal('update'), ...sender, cur_load: told, num_requests_recieved: count }),
  z.object({ kind: z.literal('error'), ...sender, error_msg: z.string() }),
  z.object({
    kind: z.literal('loading'),
    ...sender,
    message: z.literal('loading update'),
    disk_usage: amount,
    // Growth, so it falls below zero when files are removed.
    additional_disk_usage: z.number(),
  }),
  z.object({
    kind: z.literal('data'),
    ...sender,
    message: z.literal('data update'),
    loadtime: amount,
    max_perf: told,
    cur_load: told,
    num_requests_recieved: count,
    num_requests_working: count.optional(),
    overloaded: z.unknown().optional(),
    error: z.unknown().optional(),
    cur_perf: z.number().optional(),
    cur_capacity: z.number().optional(),
    max_capacity: z.number().optional(),
    curr_tokens_per_second: z.number().optional(),
    url: z.string().optional(),
  }),
  z.object({
    kind: z.literal('capacity'),
    ...sender,
    max_batch_prefill_tokens: amount.optional(),
    max_batch_tokens: amount.optional(),
    max_capacity: amount.optional(),
  }),
]);

/** One message of a worker that speaks `legacy`. */
export type LegacyMessage = z.infer<typeof messageSchema>;

export type DecodedLegacy = Decoded<LegacyMessage>;

/** Reads one body. It never throws: a body of another form is refused with the field that is wrong. */
export function decodeLegacy(body: Readonly<Record<string, unknown>>): DecodedLegacy {
  const kind = kindOf(body);
  if (kind === undefined) {
    return { ok: false, field: 'message', problem: 'This is none of the messages that a worker sends.' };
  }
  return decodeWith(messageSchema, { ...body, dialect: 'legacy', kind });
}

function kindOf(body: Readonly<Record<string, unknown>>): LegacyMessage['kind'] | undefined {
  if (body.message === 'loading update') return 'loading';
  if (body.message === 'data update') return 'data';
  if (Object.hasOwn(body, 'error_msg')) return 'error';
  if (Object.hasOwn(body, 'cur_load') || Object.hasOwn(body, 'num_requests_recieved')) return 'update';
  if (Object.hasOwn(body, 'loadtime')) return 'loaded';
  if (Object.hasOwn(body, 'max_batch_tokens') || Object.hasOwn(body, 'max_batch_prefill_tokens')) {
    return 'capacity';
  }
  return undefined;
}
