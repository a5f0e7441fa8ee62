import { assign, createMachine } from 'xstate';
import type { Kind } from './kind.js';

/** Machines with each kind of transition. */
export const TRANSITIONS: Readonly<Record<string, Kind>> = {
  'a transition to several regions': {
    machine: createMachine({
      initial: 'a',
      states: {
        a: { on: { go: { target: ['#one', '#two'] } } },
        both: {
          type: 'parallel',
          states: {
            one: { initial: 'x', states: { x: {}, y: { id: 'one' } }, on: { back: '.x' } },
            two: { initial: 'x', states: { x: {}, y: { id: 'two' } }, on: { back: '.x' } },
          },
        },
      },
    }),
    walks: [['go', 'back']],
    untaken: [
      [
        'state both',
        'state both.one',
        'state both.one.x',
        'state both.one.y',
        'state both.two',
        'state both.two.x',
        'state both.two.y',
        'transition a on go → both.one.y and both.two.y',
        'transition both.one on back → both.one.x',
        'transition both.two on back → both.two.x',
      ],
      [
        'state both.one.x',
        'state both.two.x',
        'transition both.one on back → both.one.x',
        'transition both.two on back → both.two.x',
      ],
      [],
    ],
  },
  'a state that is entered anew': {
    machine: createMachine({
      initial: 'a',
      states: { a: { on: { again: { target: 'a', reenter: true }, same: 'a', stay: { actions: 'x' } } } },
    }),
    walks: [['again', 'same', 'stay']],
    untaken: [
      ['transition a on again → a', 'transition a on same → a', 'transition a on stay stays'],
      ['transition a on same → a', 'transition a on stay stays'],
      ['transition a on stay stays'],
      [],
    ],
  },
  'wildcards, and what goes before them': {
    machine: createMachine({
      initial: 'a',
      states: { a: { on: { 'mouse.up': 'b', 'mouse.*': 'c', '*': 'd' } }, b: {}, c: {}, d: {} },
    }),
    walks: [['mouse.up'], ['mouse.down'], ['key']],
    untaken: [
      [
        'state b',
        'state c',
        'state d',
        'transition a on mouse.up → b',
        'transition a on mouse.* → c',
        'transition a on * → d',
      ],
      ['state c', 'state d', 'transition a on mouse.* → c', 'transition a on * → d'],
      ['state c', 'state d', 'transition a on mouse.* → c', 'transition a on * → d'],
      ['state d', 'transition a on * → d'],
      ['state d', 'transition a on * → d'],
      [],
    ],
  },
  'delays, of which one has guarded alternatives': {
    machine: createMachine({
      initial: 'a',
      context: { visits: 0 },
      states: {
        a: {
          entry: assign({ visits: ({ context }) => context.visits + 1 }),
          after: {
            10: [{ guard: ({ context }) => context.visits === 2, target: 'c' }, { target: 'b' }],
          },
        },
        b: { after: { 5: 'a' } },
        c: {},
      },
    }),
    walks: [[9, 1, 5, 10]],
    untaken: [
      [
        'state b',
        'state c',
        'transition a on after 10 [inline] → c',
        'transition a on after 10 → b',
        'transition b on after 5 → a',
      ],
      [
        'state b',
        'state c',
        'transition a on after 10 [inline] → c',
        'transition a on after 10 → b',
        'transition b on after 5 → a',
      ],
      ['state c', 'transition a on after 10 [inline] → c', 'transition b on after 5 → a'],
      ['state c', 'transition a on after 10 [inline] → c'],
      [],
    ],
  },
  'transitions of the root': {
    machine: createMachine({
      id: 'root',
      context: { visits: 0 },
      initial: 'a',
      states: { a: {}, b: { entry: assign({ visits: 1 }) }, c: {} },
      on: { go: '.b', stay: {}, again: { target: '#root', reenter: true } },
      after: { 10: '.a' },
      always: { guard: ({ context }) => context.visits === 1, target: '.c', actions: assign({ visits: 2 }) },
    }),
    walks: [['go', 'stay', 'again', 10]],
    untaken: [
      [
        'state b',
        'state c',
        'transition root at once [inline] → c',
        'transition root on go → b',
        'transition root on stay is ignored',
        'transition root on again → root',
        'transition root on after 10 → a',
      ],
      [
        'transition root on stay is ignored',
        'transition root on again → root',
        'transition root on after 10 → a',
      ],
      ['transition root on again → root', 'transition root on after 10 → a'],
      ['transition root on after 10 → a'],
      [],
    ],
  },
};
