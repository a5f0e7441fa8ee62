import type { LifecycleInput } from '../machines/life.js';
import type { ReporterInput } from '../machines/reporter.js';
import type { SupervisorInput } from '../machines/supervision.js';
import type { Config } from './config/index.js';
import { addressesForCompletions } from './dialects/current/completions.js';
import type { Dialect } from './dialects/dialect.js';

export interface LifecycleFacts
  extends Pick<LifecycleInput, 'startedAtMs' | 'ledger' | 'readiness' | 'health'> {
  readonly config: Config;
  /** Null: this worker reports to nobody. */
  readonly dialect: Dialect | null;
  /** Whether the public key is needed before the first request. */
  readonly needsKey: boolean;
  /** Whether the worker runs the model server itself. */
  readonly isSupervised: boolean;
  /** Seeds the jitter of each of the machines that wait. */
  readonly seed: number;
}

const SERVE_UNREPORTED_AFTER_MS = 2_000;
/** Who gives draining less time than this is in a hurry, and gives no more to what was cut. */
const LONGEST_LAST_WORDS_MS = 5_000;
const REPORT_BACK_OFF_BASE_MS = 500;
const KEY_BACK_OFF = { baseMs: 1_000, capMs: 30_000 };
const KEY_LATE_AFTER_MS = 60_000;
const KEY_MIN_REFETCH_MS = 60_000;
/** A few megabytes. */
const OUTBOX_LIMIT = 20_000;
/** About 400 KB of JSON: many servers take no more than a megabyte. */
const BATCH_LIMIT = 2_000;
const COMPLETIONS_GAP_MS = 1_000;
const RESTART_BACK_OFF_BASE_MS = 1_000;
/** What was killed is gone in a moment, unless it waits for a device that does not answer. */
const KILLED_WITHIN_MS = 5_000;
/** A model that loads for minutes is not ended for a minute in which it was too busy to answer. */
const UNWELL_INTERVALS = 6;

/** A plan by which nothing is ever told. */
const NOTHING = {
  covers: { state: ['state'], capacity: [], work: ['work'] },
  onEnter: { loading: [], loaded: [], failing: [] },
  heartbeat: { loading: [], loaded: [], failing: [] },
} as const;

/** What the lifecycle is made with, from the settings. Pure. */
export function lifecycleInput(facts: LifecycleFacts): LifecycleInput {
  const { config, dialect, needsKey, seed } = facts;
  const reporter = reporterInput(config, dialect, seed);
  const { addresses, backOff } = reporter;
  return {
    startedAtMs: facts.startedAtMs,
    ledger: facts.ledger,
    readiness: facts.readiness,
    health: facts.health,
    supervisor: facts.isSupervised ? supervisorInput(config, seed + 3) : null,
    restartAfterMs: config.healthIntervalMs * UNWELL_INTERVALS,
    serveUnreported: config.serveUnreported,
    serveUnreportedAfterMs: SERVE_UNREPORTED_AFTER_MS,
    drainTimeoutMs: config.drainTimeoutMs,
    lastWordsMs: Math.min(config.drainTimeoutMs, LONGEST_LAST_WORDS_MS),
    reporter,
    completions: {
      addresses: dialect?.tellsRequests ? addressesForCompletions(addresses) : [],
      backOff,
      seed: seed + 1,
      limit: OUTBOX_LIMIT,
      batchLimit: BATCH_LIMIT,
      gapMs: COMPLETIONS_GAP_MS,
    },
    publicKey: {
      addresses,
      backOff: KEY_BACK_OFF,
      seed: seed + 2,
      lateAfterMs: KEY_LATE_AFTER_MS,
      minRefetchMs: KEY_MIN_REFETCH_MS,
      eager: needsKey,
    },
  };
}

function supervisorInput(config: Config, seed: number): SupervisorInput {
  return {
    backOff: { baseMs: RESTART_BACK_OFF_BASE_MS, capMs: config.modelMaxBackOffMs },
    seed,
    stableAfterMs: config.modelStableAfterMs,
    maxCrashes: config.modelMaxCrashes,
    graceMs: config.modelGraceMs,
    killedWithinMs: KILLED_WITHIN_MS,
  };
}

/** What a reporter is made with, by itself or in a lifecycle. Null: there is nobody to report to. */
export function reporterInput(config: Config, dialect: Dialect | null, seed: number): ReporterInput {
  return {
    addresses: dialect === null ? [] : config.reportAddresses,
    plan: dialect?.plan ?? NOTHING,
    intervalMs: config.reportIntervalMs,
    backOff: { baseMs: REPORT_BACK_OFF_BASE_MS, capMs: config.reportBackOffMs },
    seed,
  };
}
