import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign, createActor, fromPromise, setup } from 'xstate';
import { effectIn, type Outcome } from '../../src/simulate/effect.js';
import { VirtualTime } from '../../src/simulate/virtual-time.js';

describe('virtual time', () => {
  it('runs timers in the order of their moments, and those of one moment in the order in which they were set', () => {
    const timers = fc.array(
      fc.record({ afterMs: fc.integer({ min: 0, max: 20 }), isCleared: fc.boolean() }),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(timers, (set) => {
        const time = new VirtualTime();
        const ran: { nth: number; atMs: number }[] = [];
        const ids = set.map(({ afterMs }, nth) =>
          time.setTimeout(() => ran.push({ nth, atMs: time.nowMs }), afterMs),
        );
        for (const [nth, { isCleared }] of set.entries()) if (isCleared) time.clearTimeout(ids[nth] ?? 0);
        time.advanceTo(30);
        const expected = set
          .map(({ afterMs, isCleared }, nth) => ({ nth, atMs: afterMs, isCleared }))
          .filter(({ isCleared }) => !isCleared)
          .toSorted((one, other) => one.atMs - other.atMs || one.nth - other.nth)
          .map(({ nth, atMs }) => ({ nth, atMs }));
        expect(ran).toEqual(expected);
        expect([time.nowMs, time.waiting, time.nextMs]).toEqual([30, 0, Number.POSITIVE_INFINITY]);
      }),
    );
  });

  it('runs what a timer sets for the same stretch, and leaves what is later', () => {
    const time = new VirtualTime();
    const ran: number[] = [];
    const again = () => {
      ran.push(time.nowMs);
      time.setTimeout(again, 10);
    };
    time.setTimeout(again, 5);
    time.advanceTo(30);
    expect(ran).toEqual([5, 15, 25]);
    expect([time.nextMs, time.waiting]).toEqual([35, 1]);
  });
});

const work = fromPromise<string, { of: string }>(() => Promise.reject(new Error('not provided')));

const machine = setup({
  types: { context: {} as { came: string }, events: {} as { type: 'stop' } },
  actors: { work },
}).createMachine({
  context: { came: '' },
  initial: 'working',
  states: {
    working: {
      invoke: {
        src: 'work',
        input: { of: 'a worker' },
        onDone: { target: 'done', actions: assign({ came: ({ event }) => event.output }) },
        onError: { target: 'failed' },
      },
      on: { stop: 'stopped' },
    },
    done: {},
    failed: {},
    stopped: {},
  },
});

function started(run: (input: { of: string }) => Outcome<string>) {
  const time = new VirtualTime();
  const actor = createActor(machine.provide({ actors: { work: effectIn(time, run) } }), { clock: time });
  actor.start();
  return { time, actor, state: () => actor.getSnapshot().value };
}

describe('an effect in virtual time', () => {
  it('settles at its moment, with what came of it', () => {
    const { time, actor, state } = started(({ of }) => ({ afterMs: 100, output: `the work of ${of}` }));
    time.advanceTo(99);
    expect(state()).toBe('working');
    time.advanceTo(100);
    expect([state(), actor.getSnapshot().context.came]).toEqual(['done', 'the work of a worker']);
    expect(time.waiting).toBe(0);
  });

  it('fails at its moment', () => {
    const { time, state } = started(() => ({ afterMs: 100, error: new Error('no') }));
    time.advanceTo(100);
    expect(state()).toBe('failed');
  });

  it('is over when its state is left', () => {
    const { time, actor, state } = started(() => ({ afterMs: 100, output: '' }));
    actor.send({ type: 'stop' });
    expect(time.waiting).toBe(0);
    time.advanceTo(200);
    expect(state()).toBe('stopped');
  });
});
