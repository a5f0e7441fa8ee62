import { describe, expect, it } from 'vitest';
import { type PublicKeyInput, publicKeyMachine } from '../../machines/public-key.js';
import { covered } from '../support/machines/coverage.js';
import {
  OTHER_PEM,
  PEM,
  PUBLIC_KEY_INPUT,
  type RunningPublicKey,
  startPublicKey,
} from '../support/machines/public-key.js';
import { NO_ANSWER } from '../support/machines/reporter.js';

const coverage = covered(publicKeyMachine);
const start = (input: Partial<PublicKeyInput> = {}) => startPublicKey(input, coverage.inspect);

const A = 'http://a';
const B = 'http://b';
const { lateAfterMs: LATE_AFTER_MS, minRefetchMs: MIN_REFETCH_MS } = PUBLIC_KEY_INPUT;

const held = (pem = PEM) => ({ type: 'key.held', pem });
const failed = (address: string) => ({ type: 'key.fetch.failed', address, error: NO_ANSWER });

const GIVEN = {
  unasked: async () => {},
  'fetching from the first of two': async (key) => key.need(),
  'fetching from the last of two': async (key) => {
    key.need();
    await key.fail();
  },
  'backing off': async (key) => {
    await GIVEN['fetching from the last of two'](key);
    await key.fail();
  },
  trusted: async (key) => {
    key.need();
    await key.answer();
  },
  resting: async (key) => {
    await GIVEN.trusted(key);
    key.doubt();
    await key.answer();
  },
  'resting in doubt': async (key) => {
    await GIVEN.resting(key);
    key.doubt();
  },
  'trusted again': async (key) => {
    await GIVEN.resting(key);
    await key.clock.advance(MIN_REFETCH_MS);
  },
  'refreshing from the first of two': async (key) => {
    await GIVEN.trusted(key);
    key.doubt();
  },
  'refreshing from the last of two': async (key) => {
    await GIVEN['refreshing from the first of two'](key);
    await key.fail();
  },
} satisfies Record<string, (key: RunningPublicKey) => Promise<void>>;

type Given = keyof typeof GIVEN;

const WHEN = {
  'the key is needed': (key) => key.need(),
  'the key is doubted': (key) => key.doubt(),
  'it is answered': (key) => key.answer(OTHER_PEM),
  'it fails': (key) => key.fail(),
  'a second passes': (key) => key.clock.advance(1_000),
  'the least time between two fetches passes': (key) => key.clock.advance(MIN_REFETCH_MS - 1),
} satisfies Record<string, (key: RunningPublicKey) => void | Promise<void>>;

type When = keyof typeof WHEN;

interface Then {
  readonly state?: unknown;
  readonly pem?: string;
  readonly doubted?: boolean;
  readonly asked?: string[];
  readonly told?: unknown[];
  readonly emitted?: unknown[];
}

/** A key was fetched: what is told is emitted as well. */
const fetched = { state: { held: 'trusted' }, pem: OTHER_PEM, told: [held(OTHER_PEM)] };
const refetched = { ...fetched, state: { held: 'resting' }, doubted: false };

/** What each event brings about in each state, with addresses a and b. What is not listed changes nothing. */
const TABLE: Record<Given, Partial<Record<When, Then>>> = {
  unasked: {
    'the key is needed': { state: { seeking: 'fetching' }, asked: [A] },
  },
  'fetching from the first of two': {
    'it is answered': { ...fetched, emitted: [held(OTHER_PEM)] },
    'it fails': { asked: [B], emitted: [failed(A)] },
  },
  'fetching from the last of two': {
    'it is answered': { ...fetched, emitted: [held(OTHER_PEM)] },
    'it fails': { state: { seeking: 'backing off' }, emitted: [failed(B)] },
  },
  'backing off': {
    'a second passes': { state: { seeking: 'fetching' }, asked: [A] },
    'the least time between two fetches passes': { state: { seeking: 'fetching' }, asked: [A] },
  },
  resting: {
    'the key is doubted': { doubted: true },
  },
  'resting in doubt': {},
  trusted: {
    'the key is doubted': { state: { held: 'refreshing' }, doubted: true, asked: [A] },
  },
  'trusted again': {
    'the key is doubted': { state: { held: 'refreshing' }, doubted: true, asked: [A] },
  },
  'refreshing from the first of two': {
    'it is answered': { ...refetched, emitted: [held(OTHER_PEM)] },
    'it fails': { asked: [B], emitted: [failed(A)] },
  },
  'refreshing from the last of two': {
    'it is answered': { ...refetched, emitted: [held(OTHER_PEM)] },
    'it fails': { state: { held: 'resting' }, emitted: [failed(B)] },
  },
};

describe('transitions', () => {
  const cases = (Object.keys(TABLE) as Given[]).flatMap((given) =>
    (Object.keys(WHEN) as When[])
      .filter((when) => given.includes('from') || (when !== 'it is answered' && when !== 'it fails'))
      .map((when) => ({ given, when })),
  );

  it.each(cases)('$given: $when', async ({ given, when }) => {
    const key = start({ addresses: [A, B] });
    await GIVEN[given](key);
    const view = () => {
      const { value, context } = key.actor.getSnapshot();
      return { state: value, pem: context.pem, doubted: context.doubted };
    };
    const before = view();
    const [asked, told, emitted] = [key.asked().length, key.told.length, key.emitted.length];
    await WHEN[when](key);
    expect({
      ...view(),
      asked: key.asked().slice(asked),
      told: key.told.slice(told),
      emitted: key.emitted.slice(emitted),
    }).toEqual({ ...before, asked: [], told: [], emitted: [], ...TABLE[given][when] });
  });
});

describe('asking for the key', () => {
  it('begins at once where that is wanted, and otherwise when the key is needed', () => {
    const [eager, patient] = [start({ eager: true }), start()];
    expect([eager.asked(), patient.asked()]).toEqual([[A], []]);
    patient.need();
    patient.need();
    expect(patient.asked()).toEqual([A]);
  });

  it('never gives up, with back-offs that stay below the cap', async () => {
    const key = start({ eager: true, backOff: { baseMs: 1_000, capMs: 30_000 } });
    const waited: number[] = [];
    while (waited.length < 200) {
      await key.fail();
      waited.push(
        await key.clock.until(() => key.actor.getSnapshot().matches({ seeking: 'fetching' }), 30_000),
      );
    }
    expect(Math.max(...waited)).toBeLessThan(30_000);
    expect(Math.max(...waited)).toBeGreaterThan(25_000);
    await key.answer();
    expect(key.told.at(-1)).toEqual(held());
  });

  it('stays with the address that works', async () => {
    const key = start({ eager: true, addresses: [A, B] });
    await key.fail();
    await key.answer();
    await key.clock.advance(MIN_REFETCH_MS);
    key.doubt();
    expect(key.asked()).toEqual([A, B, B]);
  });
});

describe('a key that is fetched again', () => {
  it('is announced when it is another one, and told to the parent each time', async () => {
    const key = start({ eager: true });
    for (const pem of [PEM, PEM, OTHER_PEM, OTHER_PEM, PEM]) {
      await key.answer(pem);
      await key.clock.advance(MIN_REFETCH_MS);
      key.doubt();
    }
    expect(key.emitted).toEqual([held(PEM), held(OTHER_PEM), held(PEM)]);
    expect(key.told).toEqual([held(PEM), held(PEM), held(OTHER_PEM), held(OTHER_PEM), held(PEM)]);
  });
});

describe('a key that is late', () => {
  it('is told once, with the reason, when it has been sought for too long; and so is the key in the end', async () => {
    const key = start({ eager: true });
    while (key.clock.now() < 10 * LATE_AFTER_MS) {
      if (key.actor.getSnapshot().matches({ seeking: 'fetching' })) await key.fail();
      expect(key.told.length).toBe(key.clock.now() < LATE_AFTER_MS ? 0 : 1);
      await key.clock.advance(500);
    }
    await key.clock.until(() => key.actor.getSnapshot().matches({ seeking: 'fetching' }), 30_000);
    await key.answer();
    const told = [
      {
        type: 'key.late',
        reason:
          'no_public_key: no autoscaler has given its public key within 60 s; the last attempt failed: no answer',
      },
      held(),
    ];
    expect(key.told).toEqual(told);
    expect(key.emitted.filter(({ type }) => type !== 'key.fetch.failed')).toEqual(told);
  });

  it('is late as well when the first fetch hangs', async () => {
    const key = start({ eager: true });
    await key.clock.advance(LATE_AFTER_MS - 1);
    expect(key.told).toEqual([]);
    await key.clock.advance(1);
    expect(key.told).toEqual([
      {
        type: 'key.late',
        reason: 'no_public_key: no autoscaler has given its public key within 60 s',
      },
    ]);
  });

  it.each([
    [new TypeError(''), '; the last attempt failed: TypeError'],
    ['refused', '; the last attempt failed: refused'],
    [Object.create(null), ''],
  ])('names the failure %o as far as it has a name', async (error, named) => {
    const key = start({ eager: true });
    await key.fail(error);
    await key.clock.advance(LATE_AFTER_MS);
    expect(key.told).toEqual([
      {
        type: 'key.late',
        reason: `no_public_key: no autoscaler has given its public key within 60 s${named}`,
      },
    ]);
  });

  it('counts from when it was first asked for, not from the beginning', async () => {
    const key = start();
    await key.clock.advance(10 * LATE_AFTER_MS);
    key.need();
    await key.clock.advance(LATE_AFTER_MS - 1);
    await key.answer();
    await key.clock.advance(10 * LATE_AFTER_MS);
    expect(key.told).toEqual([held()]);
  });

  it.each([true, false])('is told at once where there is nobody to ask, eager %s', (eager) => {
    const key = start({ addresses: [], eager });
    const late = {
      type: 'key.late',
      reason: 'no_public_key: there is no autoscaler to ask for its public key',
    };
    expect([key.told, key.emitted]).toEqual(eager ? [[late], [late]] : [[], []]);
    key.need();
    key.need();
    key.doubt();
    expect([key.state, key.told, key.emitted, key.asked()]).toEqual(['nobody to ask', [late], [late], []]);
  });
});

describe('a key in doubt', () => {
  it('is fetched again, at most once in the least time, however often it is doubted', async () => {
    const key = start({ eager: true });
    await key.answer();
    for (let second = 1; second <= 300; second++) {
      await key.clock.advance(1_000);
      for (let again = 0; again < 5; again++) key.doubt();
      if (key.actor.getSnapshot().matches({ held: 'refreshing' })) await key.answer();
    }
    expect(key.asked()).toHaveLength(1 + 300 / (MIN_REFETCH_MS / 1_000));
  });

  it('is fetched again at once when the doubt comes right after the first fetch', async () => {
    const key = start({ eager: true });
    await key.answer();
    key.doubt();
    await key.answer(OTHER_PEM);
    expect([key.clock.now(), key.asked().length, key.told]).toEqual([0, 2, [held(), held(OTHER_PEM)]]);
  });

  it('is fetched at the end of the least time, when the doubt came within it', async () => {
    const key = start({ eager: true });
    await key.answer();
    key.doubt();
    await key.answer();
    key.doubt();
    await key.clock.advance(MIN_REFETCH_MS - 1);
    expect(key.asked()).toHaveLength(2);
    await key.clock.advance(1);
    await key.answer(OTHER_PEM);
    expect([key.asked().length, key.told]).toEqual([3, [held(), held(), held(OTHER_PEM)]]);
    await key.clock.advance(10 * MIN_REFETCH_MS);
    expect(key.asked()).toHaveLength(3);
  });

  it('is kept while it can not be fetched, and fetched again until it can', async () => {
    const key = start({ eager: true });
    await key.answer();
    await key.clock.advance(MIN_REFETCH_MS);
    key.doubt();
    for (let round = 0; round < 3; round++) {
      await key.fail();
      expect(key.actor.getSnapshot().context.pem).toBe(PEM);
      expect(key.actor.getSnapshot().matches('held')).toBe(true);
      await key.clock.advance(MIN_REFETCH_MS);
    }
    await key.answer();
    expect([key.asked().length, key.told]).toEqual([5, [held(), held()]]);
    await key.clock.advance(10 * MIN_REFETCH_MS);
    expect([key.asked().length, key.told.length]).toEqual([5, 2]);
  });
});
