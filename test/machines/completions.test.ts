import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { BatchRefused } from '../../machines/batch-size.js';
import { type CompletionsInput, completionsMachine } from '../../machines/completions.js';
import {
  COMPLETIONS_INPUT,
  completion,
  type RunningCompletions,
  startCompletions,
} from '../support/machines/completions.js';
import { covered } from '../support/machines/coverage.js';
import { NO_ANSWER } from '../support/machines/reporter.js';

const coverage = covered(completionsMachine);
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
const failed = (count: number, address = A, error: Error = NO_ANSWER) => ({
  type: 'completions.failed',
  address,
  count,
  error,
});
const outageBegan = { type: 'completions.outage.began', error: NO_ANSWER };
const REFUSED = new BatchRefused('it answered with status 413');
const refused = (requestIdx: number, total: number, address = A) => ({
  type: 'completions.refused',
  requestIdx,
  address,
  total,
});

const GIVEN = {
  quiet: async () => {},
  'posting to the first of two': async (completions) => completions.finish(1),
  'posting to the last of two': async (completions) => {
    completions.finish(1);
    await completions.fail();
  },
  'posting two to the first of two': async (completions) => {
    await GIVEN.gathering(completions);
    completions.finish(1, 2);
    await completions.clock.advance(GAP_MS);
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
  'a whole batch of requests ends': (completions) => completions.finish(2, 3, 4),
  'it is flushed': (completions) => completions.flush(),
  'it is answered': (completions) => completions.answer(),
  'it fails': (completions) => completions.fail(),
  'it is refused': (completions) => completions.fail(REFUSED),
  'the gap and the back-off pass': (completions) => completions.clock.advance(GAP_MS + 500),
} satisfies Record<string, (completions: RunningCompletions) => void | Promise<void>>;

type When = keyof typeof WHEN;

const AN_ANSWER: ReadonlySet<When> = new Set(['it is answered', 'it fails', 'it is refused']);

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
    'a whole batch of requests ends': { state: 'posting', left: 3, posts: [`${A}: 2`] },
    'it is flushed': { state: 'flushed', told: [flushed] },
  },
  'posting to the first of two': {
    'a request ends': { state: 'posting', left: 2 },
    'a whole batch of requests ends': { state: 'posting', left: 4 },
    'it is answered': { state: 'gathering', left: 0, emitted: [delivered(1)] },
    'it fails': { state: 'posting', posts: [`${B}: 1`], emitted: [failed(1)] },
    'it is refused': { state: 'posting', posts: [`${B}: 1`], emitted: [failed(1, A, REFUSED)] },
  },
  'posting to the last of two': {
    'a request ends': { state: 'posting', left: 2 },
    'a whole batch of requests ends': { state: 'posting', left: 4 },
    'it is answered': { state: 'gathering', left: 0, emitted: [delivered(1, B)] },
    'it fails': { state: 'backing off', emitted: [failed(1, B), outageBegan] },
    'it is refused': {
      state: 'backing off',
      emitted: [failed(1, B, REFUSED), { ...outageBegan, error: REFUSED }],
    },
  },
  'posting two to the first of two': {
    'a request ends': { state: 'posting', left: 3 },
    'a whole batch of requests ends': { state: 'posting', left: 5 },
    'it is answered': { state: 'gathering', left: 0, emitted: [delivered(2)] },
    'it fails': { state: 'posting', posts: [`${B}: 1 2`], emitted: [failed(2)] },
    'it is refused': { state: 'posting', posts: [`${A}: 1`], emitted: [failed(2, A, REFUSED)] },
  },
  gathering: {
    'a request ends': { state: 'gathering', left: 1 },
    'a whole batch of requests ends': { state: 'posting', left: 3, posts: [`${A}: 2 3 4`] },
    'it is flushed': { state: 'flushed', told: [flushed] },
    'the gap and the back-off pass': { state: 'quiet' },
  },
  'backing off': {
    'a request ends': { state: 'backing off', left: 2 },
    'a whole batch of requests ends': { state: 'backing off', left: 4 },
    'it is flushed': { state: 'posting', posts: [`${A}: 1`] },
    'the gap and the back-off pass': { state: 'posting', posts: [`${A}: 1`] },
  },
  flushed: {
    'a request ends': { state: 'posting', left: 1, posts: [`${A}: 2`] },
    'a whole batch of requests ends': { state: 'posting', left: 3, posts: [`${A}: 2`] },
    'it is flushed': { state: 'flushed', told: [flushed] },
  },
};

describe('transitions', () => {
  const cases = (Object.keys(TABLE) as Given[]).flatMap((given) =>
    (Object.keys(WHEN) as When[])
      .filter((when) => given.startsWith('posting') || !AN_ANSWER.has(when))
      .map((when) => ({ given, when })),
  );

  it.each(cases)('$given: $when', async ({ given, when }) => {
    const completions = start({ addresses: [A, B], batchLimit: 3 });
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

  it('one post tells no more than the limit, and whole batches go in turn without waiting', async () => {
    const completions = start({ batchLimit: 2 });
    completions.finish(1, 2, 3, 4, 5, 6);
    for (let post = 0; post < 3; post++) await completions.answer();
    expect([completions.posts(), completions.clock.now()]).toEqual([
      [`${A}: 1`, `${A}: 2 3`, `${A}: 4 5`],
      0,
    ]);
    await completions.clock.advance(GAP_MS - 1);
    expect(completions.state).toBe('gathering');
    await completions.clock.advance(1);
    expect(completions.posts().at(-1)).toBe(`${A}: 6`);
  });
});

describe('a batch that is refused', () => {
  /** Answers until nothing is left, as an autoscaler that takes `most` in one post, and none of `never`. */
  async function serve(
    completions: RunningCompletions,
    most: number,
    never: ReadonlySet<number> = new Set(),
  ): Promise<number[]> {
    const sizes: number[] = [];
    while (completions.left > 0) {
      await completions.clock.until(() => completions.state === 'posting', GAP_MS + 10_000);
      const { batch } = completions.post.last.input;
      const told = batch.completions.map(({ requestIdx }) => requestIdx);
      sizes.push(told.length);
      const isTaken = told.length <= most && !told.some((requestIdx) => never.has(requestIdx));
      await (isTaken ? completions.answer() : completions.fail(REFUSED));
    }
    return sizes;
  }

  const whole = (count: number, from = 1) => Array.from({ length: count }, (_, index) => from + index);

  it('is halved until it is taken, at once and at the same address, and nothing is lost', async () => {
    const completions = start({ addresses: [A, B], batchLimit: 16 });
    completions.finish(...whole(17));
    await completions.answer();
    for (const _ of [16, 8, 4]) await completions.fail(REFUSED);
    expect([completions.posts(), completions.clock.now()]).toEqual([
      [1, 16, 8, 4, 2].map((count) => `${A}: ${whole(count, count === 1 ? 1 : 2).join(' ')}`),
      0,
    ]);
    await serve(completions, 3);
    const told = completions.emitted.flatMap((event) =>
      event.type === 'completions.delivered' ? [event.count] : [],
    );
    expect(told.reduce((sum, count) => sum + count)).toBe(17);
    expect(completions.emitted.map(({ type }) => type)).not.toContain('completions.outage.began');
    expect(completions.actor.getSnapshot().context.outbox.dropped).toBe(0);
  });

  it('is followed by batches that grow a little with each delivery, up to the limit', async () => {
    const completions = start({ batchLimit: 32 });
    completions.finish(...whole(600));
    const sizes = await serve(completions, 12);
    expect(sizes.slice(0, 12)).toEqual([1, 32, 16, 8, 10, 12, 14, 7, 9, 11, 13, 6]);
    completions.finish(...whole(400));
    const later = await serve(completions, 32);
    expect(Math.max(...later)).toBe(32);
  });

  const totalTold = (completions: RunningCompletions) =>
    completions.emitted.reduce(
      (sum, event) => (event.type === 'completions.delivered' ? sum + event.count : sum),
      0,
    );
  const refusals = (completions: RunningCompletions) =>
    completions.emitted.filter(({ type }) => type === 'completions.refused');

  it('of which one is refused alone, and again after others were taken, loses that one, by its number', async () => {
    const completions = start({ batchLimit: 8 });
    completions.finish(...whole(40));
    await serve(completions, 8, new Set([13]));
    expect([refusals(completions), totalTold(completions)]).toEqual([[refused(13, 1)], 39]);
  });

  it('puts one that is refused alone behind all others, whose order stays', async () => {
    const completions = start({ batchLimit: 1 });
    completions.finish(...whole(4));
    await completions.answer();
    await completions.fail(REFUSED);
    for (const _ of [3, 4, 2]) {
      await completions.clock.until(() => completions.state === 'posting', GAP_MS + 4_000);
      await completions.answer();
    }
    expect(completions.posts()).toEqual([1, 2, 3, 4, 2].map((requestIdx) => `${A}: ${requestIdx}`));
    expect([refusals(completions), completions.left]).toEqual([[], 0]);
  });

  it('loses nothing to an autoscaler that refuses everything for a minute', async () => {
    const completions = start({ batchLimit: 8, backOff: { baseMs: 500, capMs: 10_000 } });
    completions.finish(...whole(20));
    while (completions.clock.now() < 60_000) {
      await completions.fail(REFUSED);
      await completions.clock.until(() => completions.state === 'posting', 60_000);
    }
    await serve(completions, 8);
    expect([refusals(completions), totalTold(completions), completions.left]).toEqual([[], 20, 0]);
  });

  it('tries one that is alone a dozen times, for a minute or so, before it is given up', async () => {
    const tookMs: number[] = [];
    for (let seed = 0; seed < 40; seed++) {
      const completions = start({ seed: seed * 7919, backOff: { baseMs: 500, capMs: 10_000 } });
      completions.finish(1);
      const sizes = await serve(completions, 0);
      expect([sizes.length, refusals(completions)]).toEqual([12, [refused(1, 1)]]);
      tookMs.push(completions.clock.now());
      // Nothing is posted that tells of nothing.
      const posts = completions.posts().length;
      await completions.clock.advance(60_000);
      expect([completions.state, completions.posts().length]).toEqual(['quiet', posts]);
    }
    expect(Math.min(...tookMs)).toBeGreaterThan(20_000);
    expect(tookMs.reduce((sum, ms) => sum + ms) / tookMs.length).toBeGreaterThan(40_000);
  });

  it('counts one refused with those that the full outbox has dropped, and no one twice', async () => {
    const completions = start({ limit: 2 });
    completions.finish(1, 2, 3);
    await completions.fail(REFUSED);
    const { outbox } = completions.actor.getSnapshot().context;
    expect([outbox.dropped, completions.left, completions.emitted.at(-1)]).toEqual([
      1,
      2,
      { ...outageBegan, error: REFUSED },
    ]);
  });

  it('does not keep a worker from stopping', async () => {
    const completions = start();
    completions.finish(1);
    completions.flush();
    while (completions.state !== 'flushed') {
      await completions.fail(REFUSED);
      await completions.clock.until(() => completions.state !== 'backing off', 4_000);
    }
    expect([completions.told, refusals(completions)]).toEqual([[flushed], [refused(1, 1)]]);
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
