import { expect, it } from 'vitest';
import { dialectFor } from '../../src/dialects/index.js';
import { type LifecycleFacts, lifecycleInput } from '../../src/lifecycle-input.js';
import { configOf } from '../support/worker.js';

const READINESS: LifecycleFacts['readiness'] = {
  waitsFor: { log: false, health: false, benchmark: false, key: false },
  loadTimeoutMs: 1,
  stallTimeoutMs: 2,
  healthUrl: '',
  benchmark: { timeoutMs: 4, probeRetryMs: 5, at: '' },
  maxPerf: 6,
};

const CONFIG = configOf({
  REPORT_ADDR: 'http://a,http://b',
  TSWORKER_REPORT_INTERVAL: '7s',
  TSWORKER_REPORT_MAX_BACKOFF: '8s',
  TSWORKER_DRAIN_TIMEOUT: '9s',
  TSWORKER_SERVE_UNREPORTED: 'false',
});

const FACTS: LifecycleFacts = {
  startedAtMs: 100,
  readiness: READINESS,
  health: { intervalMs: 1, strikes: 2, stallTimeoutMs: 3 },
  config: CONFIG,
  dialect: null,
  needsKey: false,
  isSupervised: false,
  seed: 40,
};

const ADDRESSES = ['http://a', 'http://b'];

it.each([
  ['nobody', null, false, [], false],
  [
    'legacy',
    dialectFor({ name: 'legacy', hasModel: false, loadForm: 'sum', tellsCapacity: false }),
    false,
    ADDRESSES,
    false,
  ],
  [
    'current',
    dialectFor({ name: 'current', hasModel: true, loadForm: 'sum', tellsCapacity: false }),
    true,
    ADDRESSES,
    true,
  ],
] as const)('a worker that speaks with %s', (_name, dialect, needsKey, addresses, tellsRequests) => {
  const { reporter, completions, publicKey, ...rest } = lifecycleInput({ ...FACTS, dialect, needsKey });
  expect(rest).toEqual({
    startedAtMs: 100,
    readiness: READINESS,
    health: { intervalMs: 1, strikes: 2, stallTimeoutMs: 3 },
    supervisor: null,
    restartAfterMs: 60_000,
    serveUnreported: false,
    serveUnreportedAfterMs: 2_000,
    drainTimeoutMs: 9_000,
    lastWordsMs: 5_000,
  });
  const backOff = { baseMs: 500, capMs: 8_000 };
  expect(reporter).toEqual({
    addresses,
    plan:
      dialect === null
        ? expect.objectContaining({ onEnter: { loading: [], loaded: [], failing: [] } })
        : dialect.plan,
    intervalMs: 7_000,
    backOff,
    seed: 40,
  });
  expect(completions).toEqual({
    addresses: tellsRequests ? ADDRESSES : [],
    backOff,
    seed: 41,
    limit: 20_000,
    batchLimit: 2_000,
    gapMs: 1_000,
  });
  expect(publicKey).toEqual({
    addresses,
    backOff: { baseMs: 1_000, capMs: 30_000 },
    seed: 42,
    lateAfterMs: 60_000,
    minRefetchMs: 60_000,
    eager: needsKey,
  });
});

it('a worker that runs its model server', () => {
  const config = configOf({
    TSWORKER_HEALTH_INTERVAL: '1s',
    TSWORKER_MODEL_GRACE: '2s',
    TSWORKER_MODEL_STABLE_AFTER: '3s',
    TSWORKER_MODEL_MAX_CRASHES: '4',
    TSWORKER_MODEL_MAX_BACKOFF: '5s',
  });
  const { supervisor, restartAfterMs } = lifecycleInput({ ...FACTS, config, isSupervised: true });
  expect([supervisor, restartAfterMs]).toEqual([
    {
      backOff: { baseMs: 1_000, capMs: 5_000 },
      seed: 43,
      stableAfterMs: 3_000,
      maxCrashes: 4,
      graceMs: 2_000,
      killedWithinMs: 5_000,
    },
    6_000,
  ]);
});
