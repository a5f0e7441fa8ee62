import { describe, expect, it } from 'vitest';
import { type HealthInput, healthMachine, type ProbeResult } from '../../machines/health.js';
import { turn } from '../../src/testing/clock.js';
import { Effect } from '../../src/testing/effect.js';
import { covered } from '../support/machines/coverage.js';
import { invoke } from '../support/machines/invoked.js';

const coverage = covered(healthMachine);

const INTERVAL_MS = 10_000;
const SOONER_MS = 2_000;

const STALL_TIMEOUT_MS = 600_000;

const WELL: ProbeResult = { ok: true, quietMs: 0 };
const HUNG: ProbeResult = { ok: false, reason: 'no answer within 5000 ms', bytesFlowed: false, quietMs: 0 };
const BUSY: ProbeResult = { ...HUNG, bytesFlowed: true };
/** Its health route answers, but those who wait for it get nothing. */
const SILENT: ProbeResult = { ok: true, quietMs: STALL_TIMEOUT_MS };
const HUNG_AND_SILENT: ProbeResult = { ...HUNG, quietMs: STALL_TIMEOUT_MS };

function start(input: Partial<HealthInput> = {}) {
  const probe = new Effect<ProbeResult>();
  const machine = healthMachine.provide({ actors: { probe: probe.logic } });
  const invoked = invoke(
    machine,
    { intervalMs: INTERVAL_MS, strikes: 3, stallTimeoutMs: STALL_TIMEOUT_MS, ...input },
    coverage.inspect,
  );
  const { actor, clock } = invoked;
  return {
    ...invoked,
    probe,
    get state() {
      return actor.getSnapshot().value;
    },
    get struck() {
      return actor.getSnapshot().context.struck;
    },
    /** Lets the next probe come and end, and says how long it took to come. */
    async next(result: ProbeResult | Error): Promise<number> {
      const before = probe.calls.length;
      const waitedMs = await clock.until(() => probe.calls.length > before, 60_000);
      if (result instanceof Error) probe.last.reject(result);
      else probe.last.resolve(result);
      await turn();
      return waitedMs;
    },
  };
}

type Running = ReturnType<typeof start>;

const strike = (strikes: number, reason = 'no answer within 5000 ms') => ({
  type: 'health.strike',
  strikes,
  reason,
});
const hasFailed = {
  type: 'backend.failed',
  message: 'the model server is not well: no answer within 5000 ms',
};
const unwell = { type: 'model.unwell' };
const recovered = { type: 'backend.recovered' };
const NOTHING_SENT =
  'the model server has sent nothing for 600 s although requests wait for it (TSWORKER_STALL_TIMEOUT)';
const stalled = { type: 'model.stalled', quietMs: STALL_TIMEOUT_MS };
const hasStalled = { type: 'backend.failed', message: NOTHING_SENT };
const hasStalledAndHangs = { ...hasStalled, message: `${NOTHING_SENT}: no answer within 5000 ms` };
const busy = { type: 'health.busy', reason: 'no answer within 5000 ms' };

const GIVEN = {
  well: async () => {},
  'once struck': async (health) => {
    await health.next(HUNG);
  },
  'twice struck': async (health) => {
    await health.next(HUNG);
    await health.next(HUNG);
  },
  failed: async (health) => {
    for (let strikes = 0; strikes < 3; strikes++) await health.next(HUNG);
  },
  stalled: async (health) => {
    await health.next(SILENT);
  },
} satisfies Record<string, (health: Running) => Promise<void>>;

const WHEN = {
  'a probe succeeds': WELL,
  'a probe fails': HUNG,
  'a probe fails while bytes flow': BUSY,
  'a probe succeeds, but nothing comes': SILENT,
  'a probe fails, and nothing comes': HUNG_AND_SILENT,
  'the effect itself fails': new Error('no answer within 5000 ms'),
} satisfies Record<string, ProbeResult | Error>;

type Given = keyof typeof GIVEN;
type When = keyof typeof WHEN;
type Then = readonly [state: string, struck: number, ...happens: object[]];

/** The state and the strikes after a probe, and what is emitted and told. */
const TABLE: Record<Given, Record<When, Then>> = {
  well: {
    'a probe succeeds': ['well', 0],
    'a probe fails': ['doubtful', 1, strike(1)],
    'a probe fails while bytes flow': ['well', 0, busy],
    'a probe succeeds, but nothing comes': ['failed', 3, stalled, hasStalled, unwell],
    'a probe fails, and nothing comes': ['failed', 3, stalled, hasStalledAndHangs, unwell],
    'the effect itself fails': ['doubtful', 1, strike(1)],
  },
  'once struck': {
    'a probe succeeds': ['well', 0],
    'a probe fails': ['doubtful', 2, strike(2)],
    'a probe fails while bytes flow': ['well', 0, busy],
    'a probe succeeds, but nothing comes': ['failed', 3, stalled, hasStalled, unwell],
    'a probe fails, and nothing comes': ['failed', 3, stalled, hasStalledAndHangs, unwell],
    'the effect itself fails': ['doubtful', 2, strike(2)],
  },
  'twice struck': {
    'a probe succeeds': ['well', 0],
    'a probe fails': ['failed', 3, strike(3), hasFailed, unwell],
    'a probe fails while bytes flow': ['well', 0, busy],
    'a probe succeeds, but nothing comes': ['failed', 3, stalled, hasStalled, unwell],
    'a probe fails, and nothing comes': ['failed', 3, stalled, hasStalledAndHangs, unwell],
    'the effect itself fails': ['failed', 3, strike(3), hasFailed, unwell],
  },
  failed: {
    'a probe succeeds': ['well', 0, recovered],
    'a probe fails': ['failed', 3],
    'a probe fails while bytes flow': ['failed', 3],
    'a probe succeeds, but nothing comes': ['well', 0, recovered],
    'a probe fails, and nothing comes': ['failed', 3],
    'the effect itself fails': ['failed', 3],
  },
  stalled: {
    'a probe succeeds': ['well', 0, recovered],
    'a probe fails': ['failed', 3],
    'a probe fails while bytes flow': ['failed', 3],
    'a probe succeeds, but nothing comes': ['failed', 3],
    'a probe fails, and nothing comes': ['failed', 3],
    'the effect itself fails': ['failed', 3],
  },
};

const ROWS = (Object.keys(GIVEN) as Given[]).flatMap((given) =>
  (Object.keys(WHEN) as When[]).map((when) => ({ given, when })),
);

describe('what each probe does in each state', () => {
  it.each(ROWS)('$given, when $when', async ({ given, when }) => {
    const health = start();
    await GIVEN[given](health);
    const seen = { emitted: health.emitted.length, told: health.told.length };
    await health.next(WHEN[when]);
    const happened = [...health.emitted.slice(seen.emitted), ...health.told.slice(seen.told)];
    expect([health.state, health.struck, ...happened]).toEqual(TABLE[given][when]);
  });
});

describe('health', () => {
  it('asks once an interval, counted from the end of the last probe', async () => {
    const health = start();
    expect(health.state).toBe('well');
    expect(health.probe.calls).toEqual([]);
    expect(await health.next(WELL)).toBe(INTERVAL_MS);
    expect(await health.next(WELL)).toBe(INTERVAL_MS);
    expect([health.told, health.emitted]).toEqual([[], []]);
  });

  it('one 503 from the health route, once, is a strike and no failure', async () => {
    const health = start();
    await health.next({ ...HUNG, reason: 'it answered with status 503' });
    expect(await health.next(WELL)).toBe(SOONER_MS);
    expect(await health.next(WELL)).toBe(INTERVAL_MS);
    expect(health.told).toEqual([]);
    expect(health.emitted).toEqual([strike(1, 'it answered with status 503')]);
  });

  it('a hung model is reported with a reason after three strikes, the second and third asked for sooner', async () => {
    const health = start();
    const waits = [await health.next(HUNG), await health.next(HUNG), await health.next(HUNG)];
    expect(waits).toEqual([INTERVAL_MS, SOONER_MS, SOONER_MS]);
    expect(health.told).toEqual([hasFailed, unwell]);
  });

  it('recovery leads back to serving: a failed server is asked on, and its first 200 is told once', async () => {
    const health = start();
    await GIVEN.failed(health);
    const waits = [await health.next(HUNG), await health.next(WELL), await health.next(WELL)];
    expect(waits).toEqual([INTERVAL_MS, INTERVAL_MS, INTERVAL_MS]);
    expect(health.told).toEqual([hasFailed, unwell, recovered]);
    for (let strikes = 0; strikes < 3; strikes++) await health.next(HUNG);
    expect(health.told).toEqual([hasFailed, unwell, recovered, hasFailed, unwell]);
  });

  it('a busy engine that misses health checks is not failed while bytes flow', async () => {
    const health = start();
    for (let probes = 0; probes < 20; probes++) expect(await health.next(BUSY)).toBe(INTERVAL_MS);
    expect(health.told).toEqual([]);
    await GIVEN.failed(health);
    expect(health.told).toEqual([hasFailed, unwell]);
  });

  it('strikes that are not in a row never add up', async () => {
    const health = start();
    for (let rounds = 0; rounds < 5; rounds++) {
      await GIVEN['twice struck'](health);
      await health.next(WELL);
    }
    expect(health.told).toEqual([]);
  });

  it('fails at the first strike where one is enough', async () => {
    const health = start({ strikes: 1 });
    await health.next(HUNG);
    expect(health.told).toEqual([hasFailed, unwell]);
  });

  it.each([
    ['a probe without a reason', { ...HUNG, reason: ' ' }],
    ['an effect that fails with nothing', new Error('')],
  ])('never reports an empty error: %s', async (_, result) => {
    const health = start({ strikes: 1 });
    await health.next(result);
    const [{ message = '' } = {}] = health.told as { message?: string }[];
    expect(message).toMatch(/^the model server is not well: (it did not say why|Error)$/);
  });

  it('gives up a probe that is under way when it is no longer needed', async () => {
    const health = start();
    await health.clock.advance(INTERVAL_MS);
    health.stop();
    expect(health.probe.last.signal.aborted).toBe(true);
  });
});

describe('a request that could not connect', () => {
  const want = (health: Running) => health.actor.send({ type: 'probe.wanted' });
  /** Lets a probe end that has begun already. */
  const answered = async (health: Running, result: ProbeResult) => {
    health.probe.last.resolve(result);
    await turn();
  };

  it('has a server asked at once that seems well, and a dead one is known after two more looks', async () => {
    const health = start();
    want(health);
    expect([health.state, health.clock.now()]).toEqual(['asking', 0]);
    await answered(health, HUNG);
    expect([health.state, health.struck]).toEqual(['doubtful', 1]);
    expect([await health.next(HUNG), await health.next(HUNG)]).toEqual([SOONER_MS, SOONER_MS]);
    expect(health.told).toEqual([hasFailed, unwell]);
  });

  it('asks once, however many there are: not while a probe is under way, and not again before the next interval', async () => {
    const health = start();
    for (let requests = 0; requests < 100; requests++) want(health);
    await answered(health, WELL);
    for (let requests = 0; requests < 100; requests++) want(health);
    expect([health.state, health.probe.calls.length]).toEqual(['well', 1]);
    expect(await health.next(WELL)).toBe(INTERVAL_MS);
    want(health);
    expect([health.state, health.probe.calls.length]).toEqual(['asking', 3]);
  });

  it.each(['once struck', 'twice struck', 'failed'] as const)(
    'changes nothing for a server that is %s: it adds no strike of its own',
    async (given) => {
      const health = start();
      await GIVEN[given](health);
      const { state, struck } = health;
      want(health);
      expect([health.state, health.struck]).toEqual([state, struck]);
      expect(await health.next(HUNG)).toBe(given === 'failed' ? INTERVAL_MS : SOONER_MS);
    },
  );
});

describe('a model server that sends nothing although requests wait for it', () => {
  it('is let be up to the limit, and has failed from there on, though its health route answers 200', async () => {
    const health = start();
    for (let quietMs = 0; quietMs < STALL_TIMEOUT_MS; quietMs += INTERVAL_MS) {
      await health.next({ ok: true, quietMs });
    }
    expect([health.state, health.told]).toEqual(['well', []]);
    await health.next(SILENT);
    expect([health.state, health.told, health.emitted]).toEqual(['failed', [hasStalled, unwell], [stalled]]);
  });

  it('is told once, and is well again when something comes, or nothing waits any more', async () => {
    const health = start();
    for (let quietMs = STALL_TIMEOUT_MS; quietMs < 2 * STALL_TIMEOUT_MS; quietMs += INTERVAL_MS) {
      await health.next({ ok: true, quietMs });
    }
    expect([health.state, health.told]).toEqual(['failed', [hasStalled, unwell]]);
    await health.next(WELL);
    expect([health.state, health.told]).toEqual(['well', [hasStalled, unwell, recovered]]);
    await health.next(SILENT);
    expect(health.told).toEqual([hasStalled, unwell, recovered, hasStalled, unwell]);
  });

  it('is tried again after as long again, since one request may just be lost, and so on in turn', async () => {
    const health = start();
    const failedAt: number[] = [];
    for (let quietMs = 0; quietMs < 6 * STALL_TIMEOUT_MS; quietMs += STALL_TIMEOUT_MS / 2) {
      await health.next({ ok: true, quietMs });
      if (health.state === 'failed') failedAt.push(quietMs / STALL_TIMEOUT_MS);
    }
    expect(failedAt).toEqual([1, 1.5, 3, 3.5, 5, 5.5]);
    expect(health.told.map(({ type }) => type)).toEqual([
      'backend.failed',
      'model.unwell',
      'backend.recovered',
      'backend.failed',
      'model.unwell',
      'backend.recovered',
      'backend.failed',
      'model.unwell',
    ]);
  });

  it('has stalled again after the whole time of a new silence, and no later', async () => {
    const health = start();
    const quiet = (share: number): ProbeResult => ({ ok: true, quietMs: share * STALL_TIMEOUT_MS });
    for (const share of [1, 0.5, 1]) await health.next(quiet(share));
    expect(health.told).toEqual([hasStalled, unwell, recovered, hasStalled, unwell]);
    for (const share of [2, 0, 1]) await health.next(quiet(share));
    expect(health.told.slice(5)).toEqual([recovered, hasStalled, unwell]);
  });

  it('is not tried again while its health route fails', async () => {
    const health = start();
    for (let quietMs = 0; quietMs < 6 * STALL_TIMEOUT_MS; quietMs += STALL_TIMEOUT_MS / 2) {
      await health.next({ ...HUNG, quietMs });
    }
    expect(health.told.map(({ type }) => type)).toEqual(['backend.failed', 'model.unwell']);
  });

  it('has failed at once where its health route fails as well, however many strikes there may be', async () => {
    const health = start({ strikes: 1_000 });
    await health.next(HUNG_AND_SILENT);
    expect(health.told).toEqual([hasStalledAndHangs, unwell]);
  });

  it('is not well again by a 200 alone while requests go on waiting', async () => {
    const health = start();
    await health.next(HUNG_AND_SILENT);
    await health.next(SILENT);
    expect(health.state).toBe('failed');
  });

  it('is let be without an end where there is no limit', async () => {
    const health = start({ stallTimeoutMs: Number.POSITIVE_INFINITY });
    await health.next({ ok: true, quietMs: 1e12 });
    expect(health.told).toEqual([]);
  });
});
