import { createHash } from 'node:crypto';
import { machines } from '../graph/machines.js';
import { statechartOf } from '../graph/statechart.js';
import type { Happening, RecordingEnd, RecordingHeader } from './contract.js';
import { FORM, headerIn, LineError, lineIn, type RecordedNow } from './recording-lines.js';

/** What a file holds that was recorded. */
export interface Recording {
  readonly header: RecordingHeader;
  /** In their order. */
  readonly happenings: readonly Happening[];
  readonly nows: readonly RecordedNow[];
  /** null: it was broken off. */
  readonly end: RecordingEnd | null;
}

/** A file is no recording, or not a whole one. The message names the line. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}

/** The first line of a recording. */
export function headerOf(facts: Omit<RecordingHeader, 'recording' | 'machines'>): RecordingHeader {
  return { recording: FORM, ...facts, machines: digests() };
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

/**
 * Reads the text of a recording. One whose writer was killed may end in the middle of a line, which is left out.
 *
 * @throws {RecordingError}
 */
export function readRecording(text: string): Recording {
  const lines = text.split('\n');
  // What stands behind the last line break is nothing, or was not written to its end.
  lines.pop();
  const header = read(lines, 0, headerIn);
  const [happenings, nows]: [Happening[], RecordedNow[]] = [[], []];
  let end: RecordingEnd | null = null;
  for (let index = 1; index < lines.length; index += 1) {
    const line = read(lines, index, lineIn);
    if (line.is === 'now') nows.push(line.now);
    else if (line.is === 'end') end = line.end;
    else {
      const { seq } = line.happening;
      if (seq <= (happenings.at(-1)?.seq ?? 0))
        throw new RecordingError(`line ${index + 1}: event ${seq} is out of order.`);
      happenings.push(line.happening);
    }
  }
  return { header, happenings, nows, end };
}

function read<T>(lines: readonly string[], index: number, check: (json: unknown) => T): T {
  try {
    return check(parse(lines[index] ?? ''));
  } catch (error) {
    if (error instanceof LineError) throw new RecordingError(`line ${index + 1}: ${error.message}`);
    throw error;
  }
}

function parse(line: string): unknown {
  if (line === '') throw new LineError('it is empty.');
  try {
    return JSON.parse(line);
  } catch {
    throw new LineError('it is not JSON.');
  }
}
