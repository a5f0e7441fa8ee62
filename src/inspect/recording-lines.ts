import { z } from 'zod';
import { ACCOUNTS, type Account } from '../../machines/ledger.js';
import type { Happening, Now, RecordingEnd, RecordingHeader } from './contract.js';

/** The form of recordings that is written and read. */
export const FORM = 1;

/** Of how the worker was, what a recording is read for. */
export type RecordedNow = Pick<Now, 'seq' | 'worker'>;

export type Line =
  | { readonly is: 'happening'; readonly happening: Happening }
  | { readonly is: 'now'; readonly now: RecordedNow }
  | { readonly is: 'end'; readonly end: RecordingEnd };

/** A line that is none of a recording. The message says what is wrong with which field. */
export class LineError extends Error {
  override readonly name = 'LineError';
}

const headerSchema = z.object({
  recording: z.literal(FORM),
  version: z.string(),
  machines: z.record(z.string(), z.string()),
  backend: z.string(),
  startedAtMs: z.number(),
});

const states = z.array(z.string());

const happeningSchema = z.object({
  seq: z.int().positive(),
  atMs: z.number(),
  actor: z.string().min(1),
  machine: z.string(),
  nth: z.int().nonnegative(),
  kind: z.enum(['transition', 'event', 'actor.started', 'actor.stopped', 'request', 'log']),
  event: z.string(),
  from: states.optional(),
  to: states.optional(),
  took: states.optional(),
  details: z.json().optional(),
});

const workState = z.enum(['loading', 'loaded', 'serving', 'failing', 'draining', 'stopped']);
const totals = z.object(
  Object.fromEntries(ACCOUNTS.map((account) => [account, z.number()])) as Record<Account, z.ZodNumber>,
);

const nowSchema = z.object({
  now: z.object({
    seq: z.number(),
    worker: z.object({
      id: z.number().nullable(),
      backend: z.string(),
      state: workState,
      inStateMs: z.number(),
      reason: z.string(),
      report: z.enum(['quiet', 'reporting']),
      phase: z.enum(['loading', 'loaded', 'failing']),
      loadTimeSeconds: z.number(),
      maxPerf: z.number(),
      errorMessage: z.string(),
      url: z.string(),
      requestsUnderWay: z.number(),
      requestsQueued: z.number(),
      sessions: z.number(),
      pendingWorkload: z.number(),
      key: z.enum(['unasked', 'sought', 'held']),
      completions: z.object({ untold: z.number(), dropped: z.number() }),
      ledger: z.object({ totals, reported: totals, unreported: totals }),
      reporter: z.object({
        addresses: z.array(z.string()),
        due: z.array(z.enum(['state', 'capacity', 'work'])),
        failedRounds: z.number(),
      }),
    }),
  }),
});

const endSchema = z.object({
  ended: z.enum(['stopped', 'full', 'lost', 'interrupted']),
  atMs: z.number(),
  events: z.int().nonnegative().optional(),
  missed: z.int().nonnegative().optional(),
});

const enteredSchema = z.object({ state: workState, reason: z.string().default('') });

/**
 * The first line of a recording.
 *
 * @throws {LineError}
 */
export function headerIn(json: unknown): RecordingHeader {
  const form = has(json, 'recording') ? json.recording : undefined;
  if (form === undefined) throw new LineError('it is not the beginning of a recording.');
  if (typeof form === 'number' && form !== FORM)
    throw new LineError(`it is a recording of form ${form}, and form ${FORM} is read.`);
  return checked(headerSchema, json);
}

/**
 * Any other line of a recording.
 *
 * @throws {LineError}
 */
export function lineIn(json: unknown): Line {
  if (has(json, 'now')) return { is: 'now', now: checked(nowSchema, json).now };
  if (has(json, 'ended')) return { is: 'end', end: checked(endSchema, json) };
  if (has(json, 'seq')) return { is: 'happening', happening: happeningIn(checked(happeningSchema, json)) };
  throw new LineError('it is nothing that a recording holds.');
}

/** The state that a log line says was entered; undefined: it says none, as one of the backend's own may. */
export function enteredIn({ kind, event, details }: Happening): z.infer<typeof enteredSchema> | undefined {
  if (kind !== 'log' || event !== 'state.entered') return undefined;
  return enteredSchema.safeParse(details).data;
}

/** What may be left out is left out, rather than there and undefined. */
function happeningIn({ from, to, took, details, ...always }: z.infer<typeof happeningSchema>): Happening {
  return {
    ...always,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(took !== undefined && { took }),
    ...(details !== undefined && { details }),
  };
}

function checked<T>(schema: z.ZodType<T>, json: unknown): T {
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  const [issue] = error.issues;
  throw new LineError(`${issue?.path.join('.')}: ${issue?.message}.`);
}

function has<Name extends string>(json: unknown, name: Name): json is Record<Name, unknown> {
  return typeof json === 'object' && json !== null && Object.hasOwn(json, name);
}
