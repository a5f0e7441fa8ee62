import { assign, setup } from 'xstate';

/** How long a day is, in ms. */
const DAY_MS = 24 * 60 * 60 * 1_000;

/** Whether there is still money for today: spent with each request, and whole again the next day. */
export const spendingMachine = setup({
  types: {
    input: {} as { readonly budget: number },
    context: {} as { readonly budget: number; readonly spent: number },
    events: {} as { type: 'request.succeeded'; workload: number } | { type: 'budget.raised'; by: number },
  },
  guards: {
    'it would be spent': ({ context, event }) =>
      event.type === 'request.succeeded' && context.spent + event.workload >= context.budget,
  },
  actions: {
    'note what is spent': assign(({ context }, { workload }: { workload: number }) => ({
      spent: context.spent + workload,
    })),
    'raise the budget': assign(({ context }, { by }: { by: number }) => ({ budget: context.budget + by })),
    'begin anew': assign({ spent: 0 }),
  },
  delays: { untilTomorrow: DAY_MS },
}).createMachine({
  id: 'spending',
  context: ({ input }) => ({ ...input, spent: 0 }),
  initial: 'within budget',
  states: {
    'within budget': {
      on: {
        'request.succeeded': [
          {
            guard: 'it would be spent',
            target: 'spent',
            actions: { type: 'note what is spent', params: ({ event }) => event },
          },
          { actions: { type: 'note what is spent', params: ({ event }) => event } },
        ],
      },
    },
    spent: {
      on: {
        'budget.raised': {
          target: 'within budget',
          actions: { type: 'raise the budget', params: ({ event }) => event },
        },
      },
      after: { untilTomorrow: { target: 'within budget', actions: 'begin anew' } },
    },
  },
});
