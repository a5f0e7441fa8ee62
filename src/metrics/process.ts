import { readdir } from 'node:fs/promises';
import { memoryUse } from '../memory-use.js';

/** What the process uses at this moment. */
export interface ProcessUse {
  readonly cpuSeconds: number;
  /** NaN: it can't be read at the moment. */
  readonly residentBytes: number;
  readonly heapBytes: number;
  /** NaN: the system does not tell. */
  readonly openFds: number;
  /** In seconds since 1970. */
  readonly startTime: number;
}

/** Fixed once: a clock that jumps must not make the process look younger. */
const STARTED_AT_SECONDS = performance.timeOrigin / 1000;

export async function readProcess(): Promise<ProcessUse> {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    ...memoryUse(),
    openFds: await countFds(),
    startTime: STARTED_AT_SECONDS,
  };
}

async function countFds(): Promise<number> {
  try {
    return (await readdir('/proc/self/fd')).length;
  } catch {
    return Number.NaN;
  }
}
