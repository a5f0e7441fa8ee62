import type { InspectionEvent } from 'xstate';
import {
  type BenchmarkOutput,
  benchmarkMachine,
  type Measurement,
  type WarmUpResult,
} from '../../../machines/benchmark.js';
import { NOTHING_HEARD } from '../../../machines/heard.js';
import { readinessMachine } from '../../../machines/readiness.js';
import type { ReadinessEvent, ReadinessInput } from '../../../machines/readiness-facts.js';
import { turn } from '../../../src/testing/clock.js';
import { Effect } from '../../../src/testing/effect.js';
import { invoke } from './invoked.js';

export const LOAD_TIMEOUT_MS = 1_200_000;
export const STALL_TIMEOUT_MS = 300_000;

export const HEALTH_URL = 'http://127.0.0.1:9/health';

export const EVERYTHING = { log: true, health: true, benchmark: true, key: true };
export const NOTHING = { log: false, health: false, benchmark: false, key: false };

export const READINESS_INPUT: ReadinessInput = {
  waitsFor: EVERYTHING,
  heard: NOTHING_HEARD,
  loadTimeoutMs: LOAD_TIMEOUT_MS,
  stallTimeoutMs: STALL_TIMEOUT_MS,
  healthUrl: HEALTH_URL,
  benchmark: { timeoutMs: 600_000, probeRetryMs: 2_000, at: '' },
  maxPerf: 5,
};

/** A worker that is getting ready, and whose effects the test ends. Its benchmark is a real one. */
export function startReadiness(
  input: Partial<ReadinessInput> = {},
  inspect: (event: InspectionEvent) => void = () => {},
  benchmark = benchmarkMachine,
) {
  const effects = {
    init: new Effect<{ startedAtMs: number }>(),
    healthy: new Effect<void>(),
    growth: new Effect<void>(),
    loadTime: new Effect<number, { startedAtMs: number }>(),
    lookUp: new Effect<number | null>(),
    warmUp: new Effect<WarmUpResult>(),
    measure: new Effect<Measurement>(),
    save: new Effect<void, Measurement>(),
  };
  const provided = benchmark.provide({
    actors: {
      lookUp: effects.lookUp.logic,
      warmUp: effects.warmUp.logic,
      measure: effects.measure.logic,
      save: effects.save.logic,
    },
  });
  const machine = readinessMachine.provide({
    actors: {
      init: effects.init.logic,
      healthy: effects.healthy.logic,
      growth: effects.growth.logic,
      loadTime: effects.loadTime.logic,
      benchmark: provided,
    },
  });
  const invoked = invoke(machine, { ...READINESS_INPUT, ...input }, inspect);
  const { actor } = invoked;
  const settle = async (act: () => void) => {
    act();
    await turn();
  };
  return {
    ...invoked,
    ...effects,
    get state(): string {
      return innermost(actor.getSnapshot().value);
    },
    get output() {
      return actor.getSnapshot().output;
    },
    get waitingFor() {
      return actor.getSnapshot().context.waitingFor;
    },
    send: (event: ReadinessEvent) => actor.send(event),
    initialised: () => settle(() => effects.init.last.resolve({ startedAtMs: 1_000 })),
    well: () => settle(() => effects.healthy.last.resolve()),
    timed: () => settle(() => effects.loadTime.last.resolve(12.5)),
    async benchmarked(output: BenchmarkOutput): Promise<void> {
      if (output.ok) await settle(() => effects.lookUp.last.resolve(output.maxPerf));
      else {
        await settle(() => effects.lookUp.last.resolve(null));
        await settle(() => effects.warmUp.last.reject(new Error(output.reason)));
      }
    },
    settle,
  };
}

export type RunningReadiness = ReturnType<typeof startReadiness>;

/** The state that has no states within: its name alone tells where the machine is, but for the log's. */
function innermost(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return '';
  const [[key, inner] = ['', '']] = Object.entries(value);
  return inner === 'watching' ? key : innermost(inner);
}
