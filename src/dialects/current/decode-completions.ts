import { z } from 'zod';
import { amount, type Decoded, decodeWith, workerId } from '../fields.js';

/**
 * Finished requests as an autoscaler reads them: the parsed JSON body of `POST /delete_requests/`, in
 * either form. Wire names are kept; fields that are not known here are left out.
 */

const sender = {
  dialect: z.literal('current'),
  kind: z.literal('completions'),
  worker_id: workerId,
  mtoken: z.string().optional(),
};

const requestSchema = z.object({
  request_idx: z.int(),
  success: z.boolean(),
  status: z.enum(['Success', 'Error', 'Cancelled', 'Rejected']),
  entered_queue_at: amount,
  work_started_at: amount,
  work_completed_at: amount,
});

/** Reads up to the first wrong entry: a megabyte of wrong ones is one problem, not a hundred thousand. */
function listOf<Entry>(schema: z.ZodType<Entry>) {
  return z.array(z.unknown()).transform((entries, context): readonly Entry[] => {
    const read: Entry[] = [];
    for (const [index, entry] of entries.entries()) {
      const parsed = schema.safeParse(entry);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        const message = issue?.message ?? 'Invalid input';
        context.addIssue({ code: 'custom', path: [index, ...(issue?.path ?? [])], message });
        return z.NEVER;
      }
      read.push(parsed.data);
    }
    return read;
  });
}

const messageSchema = z.discriminatedUnion('form', [
  z.object({ form: z.literal('requests'), ...sender, requests: listOf(requestSchema) }),
  z.object({
    form: z.literal('request_idxs'),
    ...sender,
    request_idxs: listOf(z.int()),
    success: z.boolean(),
  }),
]);

/** What a worker tells of finished requests. */
export type CompletionsMessage = z.infer<typeof messageSchema>;

export type DecodedCompletions = Decoded<CompletionsMessage>;

/** Reads one body. It never throws: a body of another form is refused with the field that is wrong. */
export function decodeCompletions(body: Readonly<Record<string, unknown>>): DecodedCompletions {
  const form = Object.hasOwn(body, 'request_idxs') ? 'request_idxs' : 'requests';
  return decodeWith(messageSchema, { ...body, dialect: 'current', kind: 'completions', form });
}
