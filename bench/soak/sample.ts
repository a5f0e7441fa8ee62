/** How a worker is at one moment. What would grow if something leaked comes first. */
export interface Sample {
  readonly rssMib: number;
  /** What is left after a full collection. */
  readonly heapMib: number;
  readonly descriptors: number;
  readonly sockets: number;
  readonly timers: number;
  readonly listeners: number;
  /** What one can listen to, but for the places of pools. */
  readonly emitters: number;
  /**
   * Places of undici's pools, with a connection or without: a pool keeps as many as it has had connections at once, so
   * that their number follows the busiest moment so far.
   */
  readonly pooled: number;
  /** How late the event loop was at worst since the last sample. */
  readonly worstLagMs: number;
}

/** What a leak makes grow. */
export type Growing = Exclude<keyof Sample, 'worstLagMs' | 'pooled'>;

export const GROWING: Readonly<Record<Growing, string>> = {
  rssMib: 'RSS, MiB',
  heapMib: 'heap, MiB',
  descriptors: 'descriptors',
  sockets: 'sockets',
  timers: 'timers',
  listeners: 'listeners',
  emitters: 'emitters',
};

/** What the worker's inside says of itself (`inside.ts`). */
export interface Inside {
  readonly heapBytes: number;
  readonly resources: Readonly<Record<string, number>>;
  readonly listeners: number;
  readonly emitters: number;
  readonly pooled: number;
  readonly lagMs: number;
}

/** Where it had to rest, and while it was at work. */
export interface Samples {
  /** Before the first client. */
  readonly start: Sample;
  /** After each spell, when all was told and idle connections were closed. */
  readonly quiet: Sample[];
  readonly busy: Sample[];
}

export function sampleOf(inside: Inside, metrics: string): Sample {
  const readingOf = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  const { heapBytes, resources, listeners, emitters, pooled, lagMs } = inside;
  return {
    rssMib: readingOf('process_resident_memory_bytes') / 2 ** 20,
    heapMib: heapBytes / 2 ** 20,
    descriptors: readingOf('process_open_fds'),
    sockets: (resources.TCPSocketWrap ?? 0) + (resources.TCPServerWrap ?? 0),
    timers: resources.Timeout ?? 0,
    listeners,
    emitters,
    pooled,
    worstLagMs: lagMs,
  };
}

export function worstLagMs({ start, quiet, busy }: Samples): number {
  return Math.max(...[start, ...quiet, ...busy].map((sample) => sample.worstLagMs));
}
