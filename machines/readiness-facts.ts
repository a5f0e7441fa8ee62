import type { BenchmarkInput, BenchmarkOutput, BenchmarkToParent } from './benchmark.js';
import type { Heard } from './heard.js';
import { reasonOf } from './reason.js';

/** The vocabulary of readiness: what is waited for, what happens meanwhile, and what follows from it. */

/** What a readiness machine is made with. A time of 0 is no limit. */
export interface ReadinessInput {
  readonly waitsFor: {
    /** The line of the model's log, or somebody who watches it, that says that the model has loaded. */
    readonly log: boolean;
    /** The first 200 of the health route. */
    readonly health: boolean;
    readonly benchmark: boolean;
    readonly key: boolean;
  };
  /** What was said before the load began. */
  readonly heard: Heard;
  /** How long everything but the key may take, in ms. */
  readonly loadTimeoutMs: number;
  /** How long the log may stand still while it is waited for, in ms. */
  readonly stallTimeoutMs: number;
  readonly benchmark: BenchmarkInput;
  /** The speed that the backend says, in units of work per second; what is measured takes its place. */
  readonly maxPerf: number;
}

export type ReadinessEvent =
  | { type: 'log.loaded' }
  /** A line says that it has failed, be it of this run or of one before. */
  | { type: 'log.failed'; line: string }
  /** Nothing has come meanwhile that says another thing than that line. */
  | { type: 'log.failure.stands' }
  /** The log has a new line, whatever it says. */
  | { type: 'log.progress' }
  /** The health route was asked and is not well yet. */
  | { type: 'health.unwell'; reason: string }
  | { type: 'key.held' }
  /** The key is still not there, and the autoscaler should know. */
  | { type: 'key.late'; reason: string }
  /** Somebody who watches the log from outside says that the model has loaded, and how fast it is. */
  | { type: 'model.loaded'; maxPerf?: number }
  | { type: 'model.failed'; message: string }
  | BenchmarkToParent;

export type ReadinessOutput =
  | { readonly ok: true; readonly maxPerf: number; readonly loadTimeSeconds: number }
  | { readonly ok: false; readonly reason: string };

/** What readiness tells the machine that invoked it. An empty message: the trouble is over. */
export type ReadinessToParent = { type: 'load.trouble'; message: string };

export type ReadinessEmitted = { type: 'waiting'; waitingFor: string } | BenchmarkToParent;

export interface ReadinessContext extends ReadinessInput {
  /** What is being waited for now, as people call it. */
  readonly waitingFor: string;
  /** The monotonic time when it began, in ms, as `init` read it. */
  readonly startedAtMs: number;
  readonly healthy: boolean;
  /** Why the health route was not well when it was last asked, or empty. */
  readonly unwell: string;
  /** The line of the log that says that it has failed, or empty. */
  readonly failureLine: string;
  readonly measuredPerf: number | null;
  readonly loadTimeSeconds: number;
  /** Why it failed, or empty. */
  readonly reason: string;
}

/** What is known once something more was said. */
export function hear(heard: Heard, event: ReadinessEvent): Heard {
  switch (event.type) {
    case 'key.held':
      return { ...heard, keyHeld: true, keyLate: '' };
    case 'key.late':
      return { ...heard, keyHeld: false, keyLate: reasonOf(event.reason) };
    case 'log.loaded':
      return { ...heard, loaded: true };
    case 'model.loaded':
      return { ...heard, loaded: true, toldPerf: isSpeed(event.maxPerf) ? event.maxPerf : heard.toldPerf };
    default:
      return heard;
  }
}

function isSpeed(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value > 0;
}

export function logHasSaidSo({ waitsFor, heard }: ReadinessContext): boolean {
  return heard.loaded || !waitsFor.log;
}

export function isWell({ waitsFor, healthy }: ReadinessContext): boolean {
  return healthy || !waitsFor.health;
}

/** Everything that tells so has told so; where nothing would tell, it is never known. */
export function modelHasLoaded(context: ReadinessContext): boolean {
  const { log, health } = context.waitsFor;
  return (log || health) && logHasSaidSo(context) && isWell(context);
}

export function speedIsKnown({ waitsFor, heard, measuredPerf }: ReadinessContext): boolean {
  return !waitsFor.benchmark || heard.toldPerf !== null || measuredPerf !== null;
}

export function speedOf({ heard, measuredPerf, maxPerf }: ReadinessContext): number {
  return heard.toldPerf ?? measuredPerf ?? maxPerf;
}

/** What the autoscaler should know while the model loads, or empty. */
export function troubleIn({ waitsFor, heard }: Pick<ReadinessInput, 'waitsFor' | 'heard'>): string {
  return waitsFor.key ? heard.keyLate : '';
}

export function speedIn(output: BenchmarkOutput): { maxPerf: number | null } {
  return { maxPerf: output.ok ? output.maxPerf : null };
}

export function reasonIn(output: BenchmarkOutput): { reason: string } {
  return { reason: output.ok ? '' : output.reason };
}

/** Timers take no more than this: a longer time is none. */
const LONGEST_MS = 2 ** 31 - 1;

export function isLimit(ms: number): boolean {
  return ms > 0 && ms <= LONGEST_MS;
}

export function inSeconds(ms: number): string {
  return `${ms / 1000} s`;
}

/** Why the health route was not well when it was last asked, as the end of a sentence. */
export function lastWordOf({ unwell }: ReadinessContext): string {
  return unwell === '' ? '' : `: ${unwell}`;
}
