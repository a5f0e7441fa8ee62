import { readdirSync, readFileSync } from 'node:fs';

/**
 * The CPU time that the threads of a process have had so far, in seconds. It is what the scheduler has counted, to the
 * nanosecond; the times in `stat` come in steps of ten milliseconds.
 */
export function cpuSecondsOf(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const [onCpu = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
    return Number(onCpu);
  });
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9;
}

/** The memory that a process holds, in bytes. */
export function rssOf(pid: number): number {
  const [, kib = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) * 1_024;
}
