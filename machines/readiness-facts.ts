import type { BenchmarkInput, BenchmarkOutput, BenchmarkToParent } from './benchmark.js';

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
  /** The autoscaler's public key is there already. */
  readonly keyHeld: boolean;
  /** How long everything but the key may take, in ms. */
  readonly loadTimeoutMs: number;
  /** How long the log may stand still while it is waited for, in ms. */
  readonly stallTimeoutMs: number;
  /** How long the health route may take to its first 200, in ms. */
  readonly healthTimeoutMs: number;
  readonly benchmark: BenchmarkInput;
  /** The speed that the backend says, in units of work per second; what is measured takes its place. */
  readonly maxPerf: number;
}

export type ReadinessEvent =
  | { type: 'log.loaded' }
  | { type: 'log.failed'; line: string }
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
  readonly logLoaded: boolean;
  readonly healthy: boolean;
  /** Why the health route was not well when it was last asked, or empty. */
  readonly unwell: string;
  /** The last trouble that the parent was told, or empty. */
  readonly trouble: string;
  /** The speed that was told from outside; null: none was. */
  readonly toldPerf: number | null;
  readonly measuredPerf: number | null;
  readonly loadTimeSeconds: number;
  /** Why it failed, or empty. */
  readonly reason: string;
}

export function logHasSaidSo({ waitsFor, logLoaded }: ReadinessContext): boolean {
  return logLoaded || !waitsFor.log;
}

export function isWell({ waitsFor, healthy }: ReadinessContext): boolean {
  return healthy || !waitsFor.health;
}

/** Everything that tells so has told so; where nothing would tell, it is never known. */
export function modelHasLoaded(context: ReadinessContext): boolean {
  const { log, health } = context.waitsFor;
  return (log || health) && logHasSaidSo(context) && isWell(context);
}

export function speedIsKnown({ waitsFor, toldPerf, measuredPerf }: ReadinessContext): boolean {
  return !waitsFor.benchmark || toldPerf !== null || measuredPerf !== null;
}

export function speedOf({ toldPerf, measuredPerf, maxPerf }: ReadinessContext): number {
  return toldPerf ?? measuredPerf ?? maxPerf;
}

export function isSpeed(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value > 0;
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
