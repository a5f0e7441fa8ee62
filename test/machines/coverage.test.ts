import { describe, expect, it } from 'vitest';
import { createActor, createMachine, setup, waitFor } from 'xstate';
import { SteppedClock } from '../support/machines/clock.js';
import { TransitionCoverage } from '../support/machines/coverage.js';
import { Effect } from '../support/machines/effect.js';

/** A machine with one transition of each kind. */
function machineOf(work = new Effect<string>()) {
  return setup({
    actors: { work: work.logic },
    guards: { 'it is hot': ({ event }) => 'hot' in event && event.hot === true },
    actions: { shout: () => {} },
  }).createMachine({
    id: 'kettle',
    initial: 'cold',
    on: { unplug: '.off' },
    states: {
      cold: {
        on: { heat: [{ guard: 'it is hot', target: 'hot' }, { actions: 'shout' }] },
        invoke: { src: 'work', id: 'work', onDone: 'hot', onError: 'off' },
      },
      hot: {
        initial: 'still',
        after: { 100: 'cold' },
        states: {
          still: { always: { guard: 'it is hot', target: 'boiling' } },
          boiling: { type: 'final' },
        },
        onDone: 'off',
      },
      off: { on: { unplug: {} } },
    },
  });
}

const ALL = [
  'state kettle',
  'state cold',
  'state hot',
  'state hot.still',
  'state hot.boiling',
  'state off',
  'transition kettle on unplug → off',
  'transition cold on xstate.done.actor.work → hot',
  'transition cold on xstate.error.actor.work → off',
  'transition cold on heat [it is hot] → hot',
  'transition cold on heat stays',
  'transition hot on xstate.after.100.kettle.hot → cold',
  'transition hot on xstate.done.state.kettle.hot → off',
  'transition hot.still at once [it is hot] → hot.boiling',
  'transition off on unplug is ignored',
];

describe('transition coverage', () => {
  it('lists every state and transition from the machine, untaken at first', () => {
    const coverage = new TransitionCoverage(machineOf());
    expect(coverage.untaken().toSorted()).toEqual(ALL.toSorted());
    expect(String(coverage)).toBe('kettle: 0 of 6 states, 0 of 9 transitions');
  });

  it('notes what actors of it take, copies made by provide() included, until nothing is left', async () => {
    const coverage = new TransitionCoverage(machineOf());
    const run = async (act: (kettle: ReturnType<typeof boot>) => void | Promise<void>) => {
      const kettle = boot();
      await act(kettle);
      kettle.actor.stop();
    };
    const boot = () => {
      const work = new Effect<string>();
      const clock = new SteppedClock();
      const machine = machineOf(work).provide({ actions: { shout: () => {} } });
      return { work, clock, actor: createActor(machine, { clock, inspect: coverage.inspect }).start() };
    };

    await run(({ actor }) => actor.send({ type: 'heat' }));
    expect(coverage.untaken()).not.toContain('transition cold on heat stays');
    expect(coverage.untaken()).toContain('transition cold on heat [it is hot] → hot');
    expect(coverage.untaken()).toContain('state hot');

    await run(({ actor }) => actor.send({ type: 'heat', hot: true }));
    await run(async ({ actor, work, clock }) => {
      work.last.resolve('done');
      await waitFor(actor, (snapshot) => snapshot.matches('hot'));
      await clock.advance(100);
    });
    await run(async ({ actor, work }) => {
      work.last.reject(new Error('broken'));
      await waitFor(actor, (snapshot) => snapshot.matches('off'));
    });
    expect(coverage.untaken()).toEqual([
      'transition kettle on unplug → off',
      'transition off on unplug is ignored',
    ]);
    await run(({ actor }) => {
      actor.send({ type: 'unplug' });
      actor.send({ type: 'unplug' });
    });
    expect(coverage.untaken()).toEqual([]);
    expect(String(coverage)).toBe('kettle: 6 of 6 states, 9 of 9 transitions');
  });

  it('does not take another machine for its own', () => {
    const coverage = new TransitionCoverage(machineOf());
    const other = createMachine({ id: 'pot', initial: 'cold', states: { cold: {} } });
    createActor(other, { inspect: coverage.inspect }).start().stop();
    expect(coverage.untaken()).toHaveLength(ALL.length);
  });
});
