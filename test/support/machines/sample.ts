import { fromPromise, setup } from 'xstate';

/** A small machine with everything that a drawing has to cope with. */
export const sample = setup({
  types: { events: {} as { type: 'open' | 'shut' | 'lock' | 'ring' } },
  actors: { knock: fromPromise(() => new Promise<void>(() => {})) },
  guards: { 'it has a key': () => true },
  actions: { squeak: () => {} },
  delays: { patience: 100 },
}).createMachine({
  id: 'house',
  type: 'parallel',
  states: {
    door: {
      initial: 'closed',
      on: { lock: '.locked' },
      states: {
        closed: {
          description: 'Nobody comes in. Left when it opens.',
          on: { open: { target: 'wide open', actions: 'squeak' } },
          invoke: { id: 'knock', src: 'knock', onDone: 'wide open', onError: 'locked' },
        },
        'wide open': {
          initial: 'empty',
          after: { patience: 'closed' },
          on: { shut: { guard: 'it has a key', target: 'closed' }, lock: {} },
          states: {
            empty: { always: { guard: 'it has a key', target: 'full' } },
            full: { on: { shut: '#house.door.locked' } },
          },
        },
        locked: { on: { lock: { guard: 'it has a key' } } },
      },
    },
    bell: { initial: 'still', states: { still: { on: { ring: { actions: 'squeak' } } } } },
  },
});
