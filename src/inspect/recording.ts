import { createHash } from 'node:crypto';
import { z } from 'zod';
import { machines } from '../graph/machines.js';
import { statechartOf } from '../graph/statechart.js';
import type { Happening, Now, RecordingEnd, RecordingHeader } from './contract.js';

/** What a file holds that was recorded. */
export interface Recording {
  readonly header: RecordingHeader;
  /** In their order. */
  readonly happenings: readonly Happening[];
  readonly nows: readonly Now[];
  /** null: it was broken off. */
  readonly end: RecordingEnd | null;
}

/** A file is no recording, or not a whole one. The message names the line. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

/** The first line of a recording. */
export function headerOf(facts: Omit<RecordingHeader, 'recording' | 'machines'>): RecordingHeader {
  return { recording: 1, ...facts, machines: digests() };
}

/** What tells the machines of one version from those of another. */
export function digests(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(machines).map(([name, machine]) => {
      const chart = JSON.stringify(statechartOf(machine, name));
      return [name, createHash('sha256').update(chart).digest('hex').slice(0, 16)];
    }),
  );
}

const states = z.array(z.string());

const headerSchema = z.object({
  recording: z.literal(1),
  version: z.string(),
  machines: z.record(z.string(), z.string()),
  backend: z.string(),
  startedAtMs: z.number(),
});

const lineSchema = z.union([
  z.object({
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
  }),
  z.object({ now: z.looseObject({ seq: z.number(), worker: z.looseObject({ state: z.string() }) }) }),
  z.object({
    ended: z.enum(['stopped', 'full', 'lost', 'interrupted']),
    atMs: z.number(),
    events: z.int().nonnegative().optional(),
    missed: z.int().nonnegative().optional(),
  }),
]);

/**
 * Reads the text of a recording. One whose writer was killed may end in the middle of a line, which is left out.
 *
 * @throws {RecordingError}
 */
export function readRecording(text: string): Recording {
  const lines = text.split('\n');
  // What stands behind the last line break is nothing, or was not written to its end.
  lines.pop();
  const [first = '', ...others] = lines.map((line, index) => parse(line, index + 1));
  const header = headerSchema.safeParse(first);
  if (!header.success)
    throw new RecordingError('line 1: it is not the beginning of a recording of this form.');
  const [happenings, nows]: [Happening[], Now[]] = [[], []];
  let end: RecordingEnd | null = null;
  others.forEach((json, index) => {
    const line = lineSchema.safeParse(json);
    const place = `line ${index + 2}`;
    if (!line.success) throw new RecordingError(`${place}: it is nothing that a recording holds.`);
    if ('now' in line.data) nows.push(line.data.now as unknown as Now);
    else if ('ended' in line.data) end = line.data;
    else {
      const { seq } = line.data;
      if (seq <= (happenings.at(-1)?.seq ?? 0))
        throw new RecordingError(`${place}: event ${seq} is out of order.`);
      happenings.push(line.data as Happening);
    }
  });
  return { header: header.data, happenings, nows, end };
}

function parse(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new RecordingError(`line ${number}: it is not JSON.`);
  }
}
