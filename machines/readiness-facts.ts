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
  /** The address of the health route, as the operator may see it; empty: there is none. */
  readonly healthUrl: string;
  readonly benchmark: BenchmarkInput;
  /** The speed that the backend says, in units of work per second; what is measured takes its place. */
  readonly maxPerf: number;
}

export type ReadinessEvent =
  | { type: 'log.loaded' }
  /** A new line says that it has failed. */
  | { type: 'log.failed'; line: string }
  /** So did the last such line that stood in the log before it was watched, most likely of an earlier run. */
  | { type: 'log.hadFailed'; line: string }
  /** Nothing has come meanwhile that says another thing than that line. */
  | { type: 'log.failure.stands' }
  /** The log has new lines, whatever they say. */
  | { type: 'log.progress' }
  /** The folder that the model is downloaded to has grown. */
  | { type: 'disk.progress' }
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

/** `waiting`: something else is waited for, or there is another reason why it has not come. For the operator alone. */
export type ReadinessEmitted = { type: 'waiting'; waitingFor: string } | BenchmarkToParent;

export interface ReadinessContext extends ReadinessInput {
  /** What is being waited for now, as people call it, without any address. */
  readonly waitingFor: string;
  /** The address that is asked for it, or empty. */
  readonly waitingAt: string;
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
    case 'log.hadFailed':
      return { ...heard, oldFailure: event.line };
    case 'log.loaded':
      return { ...heard, loaded: true, oldFailure: '' };
    case 'model.loaded': {
      const toldPerf = isSpeed(event.maxPerf) ? event.maxPerf : heard.toldPerf;
      return { ...heard, loaded: true, toldPerf, oldFailure: '' };
    }
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

/** The line of the log that is waited for, as people call it. */
export const THE_LINE = "a line in the model's log that says that it has loaded";

/**
 * What is waited for, with the address that is asked and why it was not well, or the failure of which the log told
 * before: for the operator alone.
 */
export function waitingInDetail(context: ReadinessContext): string {
  const { waitingFor, waitingAt, heard } = context;
  if (waitingFor === THE_LINE && heard.oldFailure !== '') {
    return `${waitingFor}; before the worker began it told of a failure: ${heard.oldFailure}`;
  }
  return waitingAt === '' ? waitingFor : `a 200 of ${waitingAt}${lastWordOf(context)}`;
}

/** The failure of which the log told before, below the reason of another one. Clients are shown the first line alone. */
export function oldFailureOf({ heard: { oldFailure } }: ReadinessContext): string {
  return oldFailure === ''
    ? ''
    : `\nBefore the worker began the model's log told of a failure: ${oldFailure}`;
}

/** Why the health route was not well when it was last asked, as the end of a sentence. */
export function lastWordOf({ unwell }: ReadinessContext): string {
  return unwell === '' ? '' : `: ${unwell}`;
}
