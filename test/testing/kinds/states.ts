import { createMachine, raise } from 'xstate';
import type { Kind } from './kind.js';

/** Machines with each kind of state. */
export const STATES: Readonly<Record<string, Kind>> = {
  'an initial state that is left at once': {
    machine: createMachine({ initial: 'a', states: { a: { always: 'b' }, b: {} } }),
    walks: [[]],
    untaken: [[]],
  },
  'an initial state that a parent leaves at once': {
    machine: createMachine({
      initial: 'p',
      states: { p: { initial: 'c', always: 'q', states: { c: {}, d: {} } }, q: { on: { back: 'p.d' } } },
    }),
    walks: [['back']],
    untaken: [['state p.d', 'transition q on back → p.d'], []],
  },
  'initial regions that one of them leads away from': {
    machine: createMachine({
      initial: 'both',
      states: {
        both: {
          type: 'parallel',
          states: {
            one: { initial: 'a', states: { a: { entry: raise({ type: 'go' }) } } },
            two: { initial: 'x', states: { x: {} } },
          },
          on: { go: 'over' },
        },
        over: {},
      },
    }),
    walks: [[]],
    untaken: [[]],
  },
  'an initial history state': {
    machine: createMachine({
      initial: 'past',
      states: { past: { type: 'history', target: 'a' }, a: { on: { on: 'b' } }, b: {} },
    }),
    walks: [['on']],
    untaken: [['state b', 'transition a on on → b'], []],
  },
  'a chain of states that are left at once': {
    machine: createMachine({
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: { always: 'c' }, c: { always: 'd' }, d: {} },
    }),
    walks: [['go']],
    untaken: [
      [
        'state b',
        'state c',
        'state d',
        'transition a on go → b',
        'transition b at once → c',
        'transition c at once → d',
      ],
      [],
    ],
  },
  'a history state': {
    machine: createMachine({
      initial: 'work',
      states: {
        work: {
          initial: 'a',
          on: { pause: 'paused' },
          states: { a: { on: { go: 'b' } }, b: {}, past: { type: 'history' } },
        },
        paused: { on: { resume: 'work.past' } },
      },
    }),
    walks: [['pause', 'resume', 'go']],
    untaken: [
      [
        'state work.b',
        'state paused',
        'transition work on pause → paused',
        'transition work.a on go → work.b',
        'transition paused on resume → work.past',
      ],
      ['state work.b', 'transition work.a on go → work.b', 'transition paused on resume → work.past'],
      ['state work.b', 'transition work.a on go → work.b'],
      [],
    ],
  },
  'a deep history state': {
    machine: createMachine({
      initial: 'off',
      states: {
        off: { on: { on: 'set.past' } },
        set: {
          initial: 'one',
          on: { off: 'off' },
          states: {
            one: { initial: 'a', on: { into: '.a' }, states: { a: { on: { go: 'b' } }, b: {} } },
            past: { type: 'history', history: 'deep', target: 'one.b' },
          },
        },
      },
    }),
    walks: [
      ['on', 'off'],
      ['on', 'into', 'go', 'off', 'on'],
    ],
    untaken: [
      [
        'state set',
        'state set.one',
        'state set.one.a',
        'state set.one.b',
        'transition off on on → set.past',
        'transition set on off → off',
        'transition set.one on into → set.one.a',
        'transition set.one.a on go → set.one.b',
      ],
      [
        'state set.one.a',
        'transition set on off → off',
        'transition set.one on into → set.one.a',
        'transition set.one.a on go → set.one.b',
      ],
      ['state set.one.a', 'transition set.one on into → set.one.a', 'transition set.one.a on go → set.one.b'],
      ['state set.one.a', 'transition set.one on into → set.one.a', 'transition set.one.a on go → set.one.b'],
      ['state set.one.a', 'transition set.one on into → set.one.a', 'transition set.one.a on go → set.one.b'],
      ['transition set.one.a on go → set.one.b'],
      [],
      [],
      [],
    ],
  },
  'final states, and what a parent does then': {
    machine: createMachine({
      initial: 'job',
      states: {
        job: { initial: 'a', states: { a: { on: { go: 'done' } }, done: { type: 'final' } }, onDone: 'over' },
        over: { type: 'final' },
      },
    }),
    walks: [['go']],
    untaken: [
      [
        'state job.done',
        'state over',
        'transition job on job done → over',
        'transition job.a on go → job.done',
      ],
      [],
    ],
  },
  'parallel regions, and what comes when all are done': {
    machine: createMachine({
      initial: 'both',
      states: {
        both: {
          type: 'parallel',
          states: {
            one: { initial: 'a', states: { a: { on: { go: 'b' } }, b: { type: 'final' } } },
            two: { initial: 'a', states: { a: { on: { go: 'b', on: 'b' } }, b: { type: 'final' } } },
          },
          onDone: 'over',
        },
        over: {},
      },
    }),
    walks: [['on', 'go'], ['go']],
    untaken: [
      [
        'state both.one.b',
        'state both.two.b',
        'state over',
        'transition both on both done → over',
        'transition both.one.a on go → both.one.b',
        'transition both.two.a on go → both.two.b',
        'transition both.two.a on on → both.two.b',
      ],
      [
        'state both.one.b',
        'state over',
        'transition both on both done → over',
        'transition both.one.a on go → both.one.b',
        'transition both.two.a on go → both.two.b',
      ],
      ['transition both.two.a on go → both.two.b'],
      ['transition both.two.a on go → both.two.b'],
      [],
    ],
  },
};
