import { z } from 'zod';

/**
 * The `legacy` dialect as an autoscaler reads it: the parsed JSON body of `POST /worker_status/`
 * becomes one typed message. The wire has no tag, so the kind is told from the fields. Wire names
 * are kept, misspellings included; fields that are not known here are left out.
 */

const amount = z.number().nonnegative();
const count = z.int().nonnegative();

/** A JSON number from some workers, the environment's string from others. */
const workerId = z.union(
  [
    count,
    z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  ],
  {
    error: 'Invalid input: expected a whole number, or the same as a string of digits',
  },
);

const sender = { dialect: z.literal('legacy'), id: workerId, mtoken: z.string().optional() };

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('loaded'), ...sender, loadtime: amount, max_perf: amount }),
  z.object({ kind: z.literal('update'), ...sender, cur_load: amount, num_requests_recieved: count }),
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
    max_perf: amount,
    cur_load: amount,
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

export type DecodedLegacy =
  | { readonly ok: true; readonly message: LegacyMessage }
  | { readonly ok: false; readonly field: string; readonly problem: string };

/** Reads one body. It never throws: a body of another form is refused with the field that is wrong. */
export function decodeLegacy(body: Readonly<Record<string, unknown>>): DecodedLegacy {
  const kind = kindOf(body);
  if (kind === undefined) {
    return { ok: false, field: 'message', problem: 'This is none of the messages that a worker sends.' };
  }
  const parsed = messageSchema.safeParse({ ...body, dialect: 'legacy', kind });
  if (parsed.success) return { ok: true, message: parsed.data };
  const issue = parsed.error.issues[0];
  return { ok: false, field: issue?.path.join('.') || 'body', problem: issue?.message ?? 'Invalid input' };
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
