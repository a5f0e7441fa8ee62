/** What is asked of every server in the benchmark, and what is answered. */

export const PATHS = { json: '/json', stream: '/stream' } as const;

export type Kind = keyof typeof PATHS;

export const KINDS: readonly Kind[] = ['json', 'stream'];

/** The events of one stream. */
export const EVENTS = 200;

export const ANSWER_BYTES = 1_024;

/** What the local autoscaler wants of those who ask for a route. */
export const API_KEY = 'bench';

/** One stretch of load on one server. */
export interface Leg {
  readonly port: number;
  /** Of the server: whose CPU time is measured. */
  readonly pid: number;
  readonly path: string;
  /** Sent in turn. */
  readonly bodies: readonly string[];
  readonly connections: number;
  /** Before anything is measured. */
  readonly warmSeconds: number;
  readonly until: { readonly seconds: number } | { readonly requests: number };
}

/** What a leg has measured. */
export interface Measured {
  /** Told by the bytes of their answers, so that a stream counts for the part of it that came. */
  readonly requests: number;
  readonly seconds: number;
  /** Of the answers that ended; NaN where none did. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the server, in seconds. */
  readonly serverCpuSeconds: number;
  /** CPU time of the load generator itself, in seconds. */
  readonly ownCpuSeconds: number;
  /** Of the body of each answer; the leg fails when they differ. */
  readonly answerBytes: number;
}
