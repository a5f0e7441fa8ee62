import type { Now, RecordingHeader, Sample } from './contract.js';
import type { Kept } from './ring.js';

/** What there is to be shown: of a worker that runs, or of a recording. */
export interface Source {
  now(): Now;
  /** Oldest first. */
  samples(): readonly Sample[];
  header(): RecordingHeader;
  /** How many happenings there were, with those that are no longer kept. */
  readonly happened: number;
  /** What is kept of what has happened after `seq`, oldest first. */
  after(seq: number): readonly Kept[];
  /** The lines of the model's log after the one of this number. */
  linesAfter(number: number): Lines;
  /** Tells when there is something new, until the returned function is called. */
  subscribe(reader: Reader): () => void;
}

export interface Lines {
  /** The number of the last one. */
  readonly last: number;
  readonly lines: readonly string[];
}

export interface Reader {
  /** Whether it wants to know what happens to requests; while nobody does that is not noted. */
  readonly wantsRequests: boolean;
  /** Something has happened, or a line was said. */
  readonly onNews: () => void;
  readonly onSample: (sample: Sample) => void;
  /** There will be no more. */
  readonly onEnd: () => void;
}
