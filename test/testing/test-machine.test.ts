import { describe, expect, it } from 'vitest';
import { emit, sendParent, setup } from 'xstate';
import { Effect, expectPath, startMachine, transitionCoverage } from '../../src/testing/index.js';

const boil = new Effect<number>();

const kettle = setup({
  types: {
    input: {} as { readonly forMs: number },
    context: {} as { readonly forMs: number },
    events: {} as { type: 'heat' } | { type: 'pour' },
  },
  actors: { boil: boil.logic },
  actions: { whistle: emit({ type: 'whistle' }), tell: sendParent({ type: 'tea' }) },
  delays: { patience: ({ context }) => context.forMs },
}).createMachine({
  id: 'kettle',
  context: ({ input }) => input,
  initial: 'cold',
  states: {
    cold: { on: { heat: 'heating' } },
    heating: {
      invoke: { src: 'boil', onDone: { target: 'hot', actions: 'whistle' } },
      after: { patience: 'cold' },
    },
    hot: { on: { pour: { target: 'cold', actions: 'tell' } } },
  },
});

describe('a machine at work', () => {
  it('goes on in time that only the test moves', async () => {
    using running = startMachine(kettle, { input: { forMs: 60_000 } });
    await running.send({ type: 'heat' });
    await running.advance(59_999);
    expect(running.states()).toEqual(['heating']);
    await running.advance(1);
    expectPath(running).toEqual(['cold', 'heating', 'cold']);
  });

  it('has effects that end when the test says so, and is heard by a parent', async () => {
    using running = startMachine(kettle, { input: { forMs: 60_000 } });
    await running.send({ type: 'heat' });
    boil.last.resolve(100);
    await running.advance(0);
    await running.send({ type: 'pour' });
    expectPath(running).toEqual(['cold', 'heating', 'hot', 'cold']);
    expect([running.emitted, running.told]).toEqual([[{ type: 'whistle' }], [{ type: 'tea' }]]);
  });

  it('counts for the coverage of its machine', async () => {
    const coverage = transitionCoverage(kettle);
    using running = startMachine(kettle, { input: { forMs: 1 }, inspect: coverage.inspect });
    await running.send({ type: 'heat' });
    expect(String(coverage)).toBe('kettle: 2 of 3 states, 1 of 4 transitions');
  });

  it('leaves no timer behind, or says so', async () => {
    const running = startMachine(kettle, { input: { forMs: 60_000 } });
    running.clock.setTimeout(() => {}, 5);
    expect(() => running.stop()).toThrow('1 timers outlive the machine.');
  });

  it('tells once what has ended it, wherever the test comes to next', async () => {
    const boiled = kettle.provide({
      actions: {
        whistle: () => {
          throw new Error('it whistles no more');
        },
      },
    });
    const heated = async () => {
      const running = startMachine(boiled, { input: { forMs: 60_000 } });
      await running.send({ type: 'heat' });
      boil.last.resolve(100);
      return running;
    };
    const advanced = await heated();
    await expect(advanced.advance(1)).rejects.toThrow('it whistles no more');
    await advanced.advance(1);
    advanced.stop();
    const left = await heated();
    await new Promise(setImmediate);
    expect(() => left.stop()).toThrow('it whistles no more');
  });

  it('tells of an effect whose failure it does not handle', async () => {
    using running = startMachine(kettle, { input: { forMs: 60_000 } });
    await running.send({ type: 'heat' });
    boil.last.reject(new Error('no power'));
    await expect(running.advance(0)).rejects.toThrow('no power');
  });
});

describe('an expected path', () => {
  const walker = { path: () => ['loading', 'loaded', 'serving', 'failing'] };

  it('is all of it, or some of it in order', () => {
    expectPath(walker).toEqual(['loading', 'loaded', 'serving', 'failing']);
    expectPath(walker).toInclude(['loading', 'failing']);
    expectPath(walker).toInclude([]);
  });

  it('fails with what was and what was expected', () => {
    expect(() => expectPath(walker).toEqual(['loading', 'serving'])).toThrow(
      expect.objectContaining({
        code: 'ERR_ASSERTION',
        actual: walker.path(),
        expected: ['loading', 'serving'],
        message: 'The path is loading → loaded → serving → failing, not loading → serving.',
      }),
    );
    expect(() => expectPath(walker).toInclude(['failing', 'serving'])).toThrow(
      'The path is loading → loaded → serving → failing, which does not lead over failing → serving.',
    );
    expect(() => expectPath(walker).toInclude(['serving', 'serving'])).toThrow(
      'The path is loading → loaded → serving → failing, which does not lead over serving → serving.',
    );
    for (const fails of [
      () => expectPath(walker).toEqual(['loading']),
      () => expectPath(walker).toInclude(['stopped']),
    ]) {
      const { stack = '' } = errorOf(fails);
      expect(stack.split('\n').find((line) => /^ +at /.test(line))).toMatch(/test-machine\.test\.ts/);
    }
    expect(() => expectPath({ path: () => [] }).toEqual(['loading'])).toThrow(
      'The path is empty, not loading.',
    );
  });
});

function errorOf(fails: () => void): Error {
  try {
    fails();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('It does not fail.');
}
