import { createHash } from 'node:crypto';
import { machines } from '../graph/machines.js';
import { statechartOf } from '../graph/statechart.js';
import type { RecordingHeader } from './contract.js';

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
