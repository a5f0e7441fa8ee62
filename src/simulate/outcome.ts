import type { Arrivals } from './arrivals.js';
import { type KnobName, setupOf, standingOf, type Turned } from './setup.js';
import { type SimulationResult, simulate } from './simulate.js';

/** A load, so that it can be begun anew for each run. */
export interface Load {
  /** In words. */
  readonly about: string;
  readonly durationMs: number;
  arrivals(seed: number): Arrivals;
}

export interface Experiment {
  readonly load: Load;
  /** What workers do, in units per second, and where that is from, in words. */
  readonly perfs: readonly number[];
  readonly workers: string;
  /** The runs: each with a name, and the knobs that are turned in it. */
  readonly tried: readonly { readonly name: string; readonly turned: Turned }[];
  readonly seed: number;
}

/** One run with the name of what was tried. */
export interface Run extends SimulationResult {
  readonly name: string;
  readonly settings: Readonly<Record<KnobName, string>>;
}

/** What has come of an experiment: what `--json` prints. */
export interface Outcome {
  readonly load: string;
  readonly workers: string;
  readonly durationSeconds: number;
  readonly seed: number;
  readonly runs: readonly Run[];
}

const STRETCHES = 240;

/** Each of what is tried under the very same load. */
export function carryOut({ load, perfs, workers, tried, seed }: Experiment): Outcome {
  const { durationMs } = load;
  const runs = tried.map(({ name, turned }): Run => {
    const setup = setupOf(turned);
    const arrivals = load.arrivals(seed);
    const result = simulate({ setup, arrivals, perfs, durationMs, seed, stretches: STRETCHES });
    return { name, settings: standingOf(turned), ...result };
  });
  return { load: load.about, workers, durationSeconds: durationMs / 1_000, seed, runs };
}
