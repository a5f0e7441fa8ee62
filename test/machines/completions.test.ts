import { afterAll, describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { type CompletionsInput, completionsMachine } from '../../machines/completions.js';
import {
  COMPLETIONS_INPUT,
  completion,
  type RunningCompletions,
  startCompletions,
} from '../support/machines/completions.js';
import { TransitionCoverage } from '../support/machines/coverage.js';
import { NO_ANSWER } from '../support/machines/reporter.js';

const coverage = new TransitionCoverage(completionsMachine);
const start = (input: Partial<CompletionsInput> = {}) => startCompletions(input, coverage.inspect);

const A = 'http://a';
const B = 'http://b';
const GAP_MS = COMPLETIONS_INPUT.gapMs;

const flushed = { type: 'completions.flushed' };
const delivered = (count: number, address = A) => ({
  type: 'completions.delivered',
  address,
  count,
  tookMs: 3,
});
const failed = (count: number, address = A) => ({
  type: 'completions.failed',
  address,
  count,
  error: NO_ANSWER,
});
const outageBegan = { type: 'completions.outage.began', error: NO_ANSWER };

const GIVEN = {
  quiet: async () => {},
  'posting to the first of two': async (completions) => completions.finish(1),
  'posting to the last of two': async (completions) => {
    completions.finish(1);
    await completions.fail();
  },
  gathering: async (completions) => {
    completions.finish(1);
    await completions.answer();
  },
  'backing off': async (completions) => {
    completions.finish(1);
    await completions.fail();
    await completions.fail();
  },
  flushed: async (completions) => completions.flush(),
} satisfies Record<string, (completions: RunningCompletions) => Promise<void>>;

type Given = keyof typeof GIVEN;

const WHEN = {
  'a request ends': (completions) => completions.finish(2),
  'it is flushed': (completions) => completions.flush(),
  'it is answered': (completions) => completions.answer(),
  'it fails': (completions) => completions.fail(),
  'the gap and the back-off pass': (completions) => completions.clock.advance(GAP_MS + 500),
} satisfies Record<string, (completions: RunningCompletions) => void | Promise<void>>;

type When = keyof typeof WHEN;

interface Then {
  readonly state: string;
  readonly left?: number;
  readonly posts?: string[];
  readonly told?: unknown[];
  readonly emitted?: unknown[];
}

/** What each event brings about in each state, with addresses a and b. What is not listed changes nothing. */
const TABLE: Record<Given, Partial<Record<When, Then>>> = {
  quiet: {
    'a request ends': { state: 'posting', left: 1, posts: [`${A}: 2`] },
    'it is flushed': { state: 'flushed', told: [flushed] },
  },
  'posting to the first of two': {
    'a request ends': { state: 'posting', left: 2 },
    'it is answered': { state: 'gathering', left: 0, emitted: [delivered(1)] },
    'it fails': { state: 'posting', posts: [`${B}: 1`], emitted: [failed(1)] },
  },
  'posting to the last of two': {
    'a request ends': { state: 'posting', left: 2 },
    'it is answered': { state: 'gathering', left: 0, emitted: [delivered(1, B)] },
    'it fails': { state: 'backing off', emitted: [failed(1, B), outageBegan] },
  },
  gathering: {
    'a request ends': { state: 'gathering', left: 1 },
    'it is flushed': { state: 'flushed', told: [flushed] },
    'the gap and the back-off pass': { state: 'quiet' },
  },
  'backing off': {
    'a request ends': { state: 'backing off', left: 2 },
    'it is flushed': { state: 'posting', posts: [`${A}: 1`] },
    'the gap and the back-off pass': { state: 'posting', posts: [`${A}: 1`] },
  },
  flushed: {
    'a request ends': { state: 'posting', left: 1, posts: [`${A}: 2`] },
    'it is flushed': { state: 'flushed', told: [flushed] },
  },
};

describe('transitions', () => {
  const cases = (Object.keys(TABLE) as Given[]).flatMap((given) =>
    (Object.keys(WHEN) as When[])
      .filter((when) => given.startsWith('posting') || (when !== 'it is answered' && when !== 'it fails'))
      .map((when) => ({ given, when })),
  );

  it.each(cases)('$given: $when', async ({ given, when }) => {
    const completions = start({ addresses: [A, B] });
    await GIVEN[given](completions);
    const { state, left } = completions;
    const [posts, told, emitted] = [
      completions.posts().length,
      completions.told.length,
      completions.emitted.length,
    ];
    await WHEN[when](completions);
    expect({
      state: completions.state,
      left: completions.left,
      posts: completions.posts().slice(posts),
      told: completions.told.slice(told),
      emitted: completions.emitted.slice(emitted),
    }).toEqual({ state, left, posts: [], told: [], emitted: [], ...TABLE[given][when] });
  });
});

describe('the cadence', () => {
  it('the first that ends after a quiet time is posted at once, those within the gap together', async () => {
    const completions = start();
    completions.finish(1, 2, 3);
    await completions.answer();
    completions.finish(4);
    await completions.clock.advance(GAP_MS - 1);
    expect(completions.posts()).toEqual([`${A}: 1`]);
    await completions.clock.advance(1);
    await completions.answer();
    await completions.clock.advance(GAP_MS);
    completions.finish(5);
    expect(completions.posts()).toEqual([`${A}: 1`, `${A}: 2 3 4`, `${A}: 5`]);
  });

  it('a post that is slow holds the next one up, and what ends meanwhile is told in it', async () => {
    const completions = start();
    completions.finish(1);
    await completions.clock.advance(30_000);
    completions.finish(1);
    await completions.answer();
    await completions.clock.advance(GAP_MS);
    expect([completions.posts(), completions.left]).toEqual([[`${A}: 1`, `${A}: 1`], 1]);
  });

  it('one post tells no more than the limit', async () => {
    const completions = start({ batchLimit: 2 });
    completions.finish(1, 2, 3, 4);
    for (let post = 0; post < 3; post++) {
      await completions.answer();
      await completions.clock.advance(GAP_MS);
    }
    expect(completions.posts()).toEqual([`${A}: 1`, `${A}: 2 3`, `${A}: 4`]);
  });
});

describe('failover and backing off', () => {
  it('each attempt cuts a batch of its own', async () => {
    const completions = start({ addresses: [A, B] });
    completions.finish(1);
    completions.finish(2);
    await completions.fail();
    completions.finish(3);
    await completions.fail();
    await completions.clock.advance(GAP_MS + 500);
    expect(completions.posts()).toEqual([`${A}: 1`, `${B}: 1 2`, `${A}: 1 2 3`]);
  });

  it('stays with the address that works', async () => {
    const completions = start({ addresses: [A, B] });
    completions.finish(1);
    await completions.fail();
    await completions.answer();
    completions.finish(2);
    await completions.clock.advance(GAP_MS);
    expect(completions.posts()).toEqual([`${A}: 1`, `${B}: 1`, `${B}: 2`]);
  });

  it('waits for the gap and anything up to a ceiling that doubles, after each failed round', async () => {
    const longest = [0, 0, 0, 0, 0];
    const shortest = Array<number>(5).fill(Number.POSITIVE_INFINITY);
    for (let seed = 0; seed < 40; seed++) {
      const completions = start({ seed: seed * 7919 });
      completions.finish(1);
      for (const round of longest.keys()) {
        await completions.fail();
        const ms = await completions.clock.until(() => completions.state === 'posting', 60_000);
        longest[round] = Math.max(longest[round] ?? 0, ms);
        shortest[round] = Math.min(shortest[round] ?? 0, ms);
      }
    }
    for (const [round, ceiling] of [500, 1_000, 2_000, 4_000, 4_000].entries()) {
      expect(longest[round]).toBeLessThan(GAP_MS + ceiling);
      expect(longest[round]).toBeGreaterThan(GAP_MS + ceiling * 0.7);
      expect(shortest[round]).toBeGreaterThanOrEqual(GAP_MS);
      expect(shortest[round]).toBeLessThan(GAP_MS + ceiling * 0.3);
    }
  });

  it('tells once that an outage began, and once that it ended, with its sum', async () => {
    const completions = start({ addresses: [A, B] });
    completions.finish(1);
    for (let round = 0; round < 3; round++) {
      await completions.fail();
      await completions.fail();
      await completions.clock.until(() => completions.state === 'posting', 60_000);
    }
    await completions.fail();
    await completions.answer();
    expect(completions.emitted.filter(({ type }) => type.includes('outage'))).toEqual([
      outageBegan,
      { type: 'completions.outage.ended', address: B, failedAttempts: 7 },
    ]);
    expect(completions.emitted.filter(({ type }) => type === 'completions.failed')).toHaveLength(7);
    expect(completions.actor.getSnapshot().context).toMatchObject({ failedRounds: 0, failedAttempts: 0 });
  });
});

describe('an outbox that is full', () => {
  const drops = ({ emitted }: RunningCompletions) =>
    emitted.flatMap((event) => (event.type === 'completions.dropped' ? [event.total] : []));

  it('says so at the first that is dropped, and then each time that their number has doubled', async () => {
    const completions = start({ limit: 3 });
    completions.finish(...Array(40).keys());
    expect([drops(completions), completions.left]).toEqual([[1, 2, 4, 8, 16, 32], 3]);
  });

  it('says so anew in another outage, and counts on', async () => {
    const completions = start({ limit: 2, batchLimit: 1 });
    completions.finish(1, 2, 3, 4, 5);
    await completions.fail();
    await completions.clock.until(() => completions.state === 'posting', 2_000);
    await completions.answer();
    expect([drops(completions), completions.left]).toEqual([[1, 2], 1]);
    completions.finish(6, 7);
    expect(drops(completions)).toEqual([1, 2, 4]);
  });

  it('says so anew after everything was told', async () => {
    const completions = start({ limit: 1 });
    completions.finish(1, 2, 3);
    await completions.answer();
    await completions.clock.advance(GAP_MS);
    await completions.answer();
    await completions.clock.advance(GAP_MS);
    completions.finish(4, 5);
    expect(drops(completions)).toEqual([1, 2, 3]);
  });

  it('does not say so at each delivery while more ends than can be told', async () => {
    const completions = start({ limit: 2, batchLimit: 1 });
    for (let second = 0; second < 32; second++) {
      completions.finish(1, 2);
      await completions.answer();
      await completions.clock.advance(GAP_MS);
    }
    const { dropped } = completions.actor.getSnapshot().context.outbox;
    expect(dropped).toBeGreaterThan(32);
    expect(dropped).toBeLessThan(64);
    expect(drops(completions)).toEqual([1, 2, 4, 8, 16, 32]);
  });
});

describe('flushing', () => {
  it('posts everything without gaps, then says that nothing is left', async () => {
    const completions = start({ batchLimit: 2 });
    completions.finish(1, 2, 3, 4, 5);
    completions.flush();
    for (let post = 0; post < 3; post++) {
      expect(completions.told).toEqual([]);
      await completions.answer();
    }
    expect([completions.told, completions.clock.now(), completions.posts()]).toEqual([
      [flushed],
      0,
      [`${A}: 1`, `${A}: 2 3`, `${A}: 4 5`],
    ]);
  });

  it('tries at once when it is backing off, and goes on trying without the gap', async () => {
    const completions = start();
    completions.finish(1);
    await completions.fail();
    completions.flush();
    expect([completions.state, completions.clock.now()]).toEqual(['posting', 0]);
    await completions.fail();
    const { backOffMs } = completions.actor.getSnapshot().context;
    expect(await completions.clock.until(() => completions.state === 'posting', 4_000)).toBe(backOffMs);
    await completions.answer();
    expect(completions.told).toEqual([flushed]);
  });

  it('tells what ends after all, then says again that nothing is left', async () => {
    const completions = start();
    completions.flush();
    completions.finish(1);
    await completions.answer();
    completions.finish(2);
    await completions.answer();
    expect([completions.told, completions.posts()]).toEqual([
      [flushed, flushed, flushed],
      [`${A}: 1`, `${A}: 2`],
    ]);
  });

  it('is answered at once where there is no autoscaler, which is never told anything', () => {
    const completions = start({ addresses: [], limit: 1 });
    completions.finish(1, 2, 3);
    completions.flush();
    completions.flush();
    expect([completions.state, completions.left, completions.told, completions.emitted]).toEqual([
      'silent',
      0,
      [flushed, flushed],
      [],
    ]);
  });
});

it('an effect that was not provided fails each attempt with its name', async () => {
  const actor = createActor(completionsMachine, { input: COMPLETIONS_INPUT }).start();
  const began = new Promise((resolve) => actor.on('completions.outage.began', resolve));
  actor.send({ type: 'requests.finished', completions: [completion(1)] });
  expect(await began).toEqual({
    type: 'completions.outage.began',
    error: new Error('The effect "post" was not provided to the machine.'),
  });
  actor.stop();
});

describe('coverage', () => {
  it('takes every state and every transition of the machine', () => {
    expect(coverage.untaken()).toEqual([]);
  });

  afterAll(() => console.info(coverage.toString()));
});
