import { getHeapStatistics } from 'node:v8';

export interface MemoryUse {
  /** What of it is in RAM. NaN: it can't be read, for which a file descriptor is needed. */
  readonly residentBytes: number;
  /** What is in use of the heap of JavaScript. */
  readonly heapBytes: number;
}

/** The memory of this process. Never throws, as `process.memoryUsage` does when no file descriptor is left. */
export function memoryUse(): MemoryUse {
  return { residentBytes: residentBytes(), heapBytes: getHeapStatistics().used_heap_size };
}

function residentBytes(): number {
  try {
    return process.memoryUsage.rss();
  } catch {
    return Number.NaN;
  }
}
