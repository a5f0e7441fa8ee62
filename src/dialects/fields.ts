import { z } from 'zod';

/** What the messages of every dialect have in common, as an autoscaler reads them. */

export const amount = z.number().nonnegative();

/** The most units of work that one request can be: sums of them stay exact. */
export const MAX_WORK = 1e12;

/** The work of one request, as a client tells it. */
export const work = amount.max(MAX_WORK);

/** More than any worker has or does, and so little that no sum of it overflows. */
const MOST_TOLD = 1e15;

/**
 * Work, or units per second, as a worker tells it. What is absurd counts as the most that is believed: refused, all
 * else that the worker tells would be lost with it.
 */
export const told = amount.transform((units) => Math.min(units, MOST_TOLD));
export const count = z.int().nonnegative();

/** A JSON number from some workers, the environment's string from others. */
export const workerId = z.union(
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

export type Decoded<Message> =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly field: string; readonly problem: string };

/** Checks one message. It never throws: what has another form is refused with the first field that is wrong. */
export function decodeWith<Message>(schema: z.ZodType<Message>, body: unknown): Decoded<Message> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { ok: true, message: parsed.data };
  const issue = parsed.error.issues[0];
  return { ok: false, field: issue?.path.join('.') || 'body', problem: issue?.message ?? 'Invalid input' };
}
