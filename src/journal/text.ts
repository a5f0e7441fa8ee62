import { z } from 'zod';
import type { Totals } from '../../machines/ledger.js';
import { lineOf, recordsIn } from './records.js';
import { type Accounts, apply, type Change, changeBetween, NOTHING, type Snapshot } from './snapshot.js';

/**
 * A journal as text: a line that says what it is, and changes, of which the first tells all of a snapshot. What is
 * read is checked field by field, so that no garbage ever reaches a ledger.
 */

const HEADER = { journal: 'tsworker', version: 1 } as const;

const header = z.strictObject({ journal: z.literal(HEADER.journal), version: z.literal(HEADER.version) });

const amount = z.number().nonnegative();
const whole = z.int().nonnegative();

const totals = z.strictObject({
  requests: whole,
  received: amount,
  served: amount,
  errored: amount,
  cancelled: amount,
  rejected: amount,
  // Of a sum of fractions a little less than nothing may be left.
  load: z.number(),
  diskGib: amount,
}) satisfies z.ZodType<Totals>;

const accounts = z
  .strictObject({ totals, reported: totals, acknowledgements: whole })
  .refine(hasReportedWhatWas, { error: 'more was reported than there was' }) satisfies z.ZodType<Accounts>;

const present = z.strictObject({
  id: whole,
  kind: z.enum(['request', 'session', 'in-session']),
  workload: amount,
  requestIdx: z.int().nullable(),
  enteredAt: amount,
});

const completion = z.strictObject({
  requestIdx: z.int(),
  status: z.enum(['Success', 'Error', 'Cancelled', 'Rejected']),
  enteredQueueAt: amount,
  workStartedAt: amount,
  workCompletedAt: amount,
});

const change = z.strictObject({
  takenAt: amount,
  accounts,
  began: z.array(present),
  ended: z.array(whole),
  finished: z.strictObject({ first: whole, completions: z.array(completion) }),
}) satisfies z.ZodType<Change>;

/** What a journal holds. */
export interface Contents {
  /** The last state that can be trusted; null: there is none. */
  readonly snapshot: Snapshot | null;
  /** What is wrong with it, as the rest of a sentence; null: nothing but what a crash leaves. */
  readonly problem: string | null;
}

/** A new journal that begins with a snapshot. */
export function journalOf(snapshot: Snapshot): string {
  const all = changeBetween(NOTHING, snapshot);
  return lineOf(HEADER) + (all === null ? '' : lineOf(all));
}

/** What is put behind a journal. */
export function changeText(made: Change): string {
  return lineOf(made);
}

/** Reads a journal up to the first line that is not as it was written. Never throws. */
export function contentsOf(text: string): Contents {
  const { records, state } = recordsIn(text);
  const [first, ...changes] = records;
  if (first === undefined) return { snapshot: null, problem: 'its first line can not be read' };
  if (!header.safeParse(first).success) {
    return { snapshot: null, problem: 'it is not a journal of this version' };
  }
  let snapshot: Snapshot | null = null;
  for (const record of changes) {
    const parsed = change.safeParse(record);
    if (!parsed.success) return { snapshot, problem: problemIn(parsed.error) };
    snapshot = apply(snapshot ?? NOTHING, parsed.data);
  }
  // The first two lines get to the disk together, or not at all.
  const isDamaged = state === 'damaged' || (state === 'torn' && snapshot === null);
  return { snapshot, problem: isDamaged ? 'a line of it is not as it was written' : null };
}

/** `load` may have been reported and given up since; the used space of a disk may have become less. */
function hasReportedWhatWas({ totals: all, reported }: Accounts): boolean {
  const growing = ['requests', 'received', 'served', 'errored', 'cancelled', 'rejected'] as const;
  return growing.every((account) => reported[account] <= all[account]);
}

function problemIn({ issues: [issue] }: z.ZodError): string {
  const field = issue?.path.join('.') || 'a line';
  return `${field} is not what it should be: ${issue?.message ?? 'invalid'}`;
}
