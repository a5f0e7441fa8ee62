import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../../machines/health.js';
import type { ReadinessEvent } from '../../machines/readiness-facts.js';
import { type ReloadInput, reloadMachine } from '../../machines/reload.js';
import { turn } from '../../src/testing/clock.js';
import { Effect } from '../../src/testing/effect.js';
import { covered } from '../support/machines/coverage.js';
import { invoke } from '../support/machines/invoked.js';

const coverage = covered(reloadMachine);

const INTERVAL_MS = 10_000;
const WELL: ProbeResult = { ok: true, quietMs: 0 };
const UNWELL: ProbeResult = { ok: false, reason: 'status 503', bytesFlowed: false, quietMs: 0 };

function start(input: Partial<ReloadInput> = {}) {
  const probe = new Effect<ProbeResult>();
  const invoked = invoke(
    reloadMachine.provide({ actors: { probe: probe.logic } }),
    { intervalMs: INTERVAL_MS, failedLoads: 1, byLog: false, loaded: false, ...input },
    coverage.inspect,
  );
  const settled = async (act: () => void) => {
    act();
    await turn();
  };
  return {
    ...invoked,
    probe,
    get state() {
      return invoked.actor.getSnapshot().value;
    },
    send: (event: ReadinessEvent) => invoked.actor.send(event),
    answered: (result: ProbeResult) => settled(() => probe.last.resolve(result)),
    broken: () => settled(() => probe.last.reject(new Error('no route'))),
  };
}

type Reload = ReturnType<typeof start>;

async function asking(): Promise<Reload> {
  const reload = start();
  await reload.clock.advance(INTERVAL_MS);
  return reload;
}

const GIVEN = {
  resting: async () => start(),
  'resting, by the log': async () => start({ byLog: true }),
  listening: async () => {
    const reload = start({ byLog: true });
    await reload.clock.advance(INTERVAL_MS);
    return reload;
  },
  asking,
  waiting: async () => {
    const reload = await asking();
    await reload.answered(UNWELL);
    return reload;
  },
} satisfies Record<string, () => Promise<Reload>>;

const WHEN = {
  'the log says that it has loaded': (reload) => reload.send({ type: 'log.loaded' }),
  'somebody says that it has loaded': (reload) => reload.send({ type: 'model.loaded', maxPerf: 3 }),
  'the log says something else': (reload) => reload.send({ type: 'log.progress' }),
  'an interval passes': (reload) => reload.clock.advance(INTERVAL_MS),
  'the server is well': (reload) => reload.answered(WELL),
  'the server is not well': (reload) => reload.answered(UNWELL),
  'the server can not be asked': (reload) => reload.broken(),
} satisfies Record<string, (reload: Reload) => void | Promise<void>>;

type Given = keyof typeof GIVEN;
type When = keyof typeof WHEN;

/** The state that follows; what is not listed changes nothing. */
const TABLE: Record<Given, Partial<Record<When, string>>> = {
  resting: { 'an interval passes': 'asking' },
  'resting, by the log': { 'an interval passes': 'listening' },
  listening: { 'the log says that it has loaded': 'due', 'somebody says that it has loaded': 'due' },
  asking: {
    'the server is well': 'due',
    'the server is not well': 'waiting',
    'the server can not be asked': 'waiting',
  },
  waiting: { 'an interval passes': 'asking' },
};

const OF_A_PROBE: readonly When[] = [
  'the server is well',
  'the server is not well',
  'the server can not be asked',
];
const ROWS = (Object.keys(GIVEN) as Given[]).flatMap((given) =>
  (Object.keys(WHEN) as When[])
    .filter((when) => given === 'asking' || !OF_A_PROBE.includes(when))
    .map((when) => ({ given, when })),
);

describe('what each event does in each state', () => {
  it.each(ROWS)('$given, when $when', async ({ given, when }) => {
    const reload = await GIVEN[given]();
    const before = reload.state;
    await WHEN[when](reload);
    expect(reload.state).toBe(TABLE[given][when] ?? before);
  });
});

describe('a load that failed is tried again', () => {
  it('at the first 200, asked for once an interval', async () => {
    const reload = start();
    const waits: number[] = [];
    for (const result of [UNWELL, UNWELL, WELL]) {
      const asked = reload.probe.calls.length;
      waits.push(await reload.clock.until(() => reload.probe.calls.length > asked, 60_000));
      await reload.answered(result);
    }
    expect([waits, reload.state]).toEqual([[INTERVAL_MS, INTERVAL_MS, INTERVAL_MS], 'due']);
  });

  it.each([
    [1, 10],
    [2, 20],
    [3, 40],
    [5, 160],
    [6, 300],
    [7, 300],
    [5_000, 300],
  ])(
    'and not in a loop: after %i failed loads in a row not before %i s have passed',
    async (failedLoads, seconds) => {
      const reload = start({ failedLoads });
      expect(await reload.clock.until(() => reload.probe.calls.length > 0, 1_000_000)).toBe(seconds * 1_000);
    },
  );

  it('by the log alone after its rest, where the line came before or meanwhile', async () => {
    const before = start({ byLog: true, loaded: true });
    await before.clock.advance(INTERVAL_MS);
    expect([before.state, before.probe.calls]).toEqual(['due', []]);
    const meanwhile = start({ byLog: true });
    meanwhile.send({ type: 'log.loaded' });
    await meanwhile.clock.advance(INTERVAL_MS - 1);
    expect(meanwhile.state).toBe('resting');
    await meanwhile.clock.advance(1);
    expect(meanwhile.state).toBe('due');
  });

  it('by its health, however often the log says that it has loaded', async () => {
    const reload = await GIVEN.waiting();
    reload.send({ type: 'log.loaded' });
    expect(reload.state).toBe('waiting');
  });

  it('and tells each new reason why it is not well once', async () => {
    const reload = start();
    const refused: ProbeResult = { ...UNWELL, reason: 'refused' };
    for (const result of [UNWELL, UNWELL, refused, refused, new Error('no route'), UNWELL, WELL]) {
      const asked = reload.probe.calls.length;
      await reload.clock.until(() => reload.probe.calls.length > asked, 60_000);
      await (result instanceof Error ? reload.broken() : reload.answered(result));
    }
    expect(reload.emitted).toEqual(
      ['status 503', 'refused', 'no route', 'status 503'].map((reason) => ({
        type: 'health.unwell',
        reason,
      })),
    );
  });

  it('no more once it is not needed: a question that is under way is given up', async () => {
    const reload = await asking();
    reload.stop();
    expect(reload.probe.last.signal.aborted).toBe(true);
  });
});
