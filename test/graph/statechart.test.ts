import { describe, expect, it } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { chartStates } from '../../src/graph/chart.js';
import { machines } from '../../src/graph/machines.js';
import { statechartOf, transitionIdOf } from '../../src/graph/statechart.js';
import { ownTransitions, statesOf } from '../../src/graph/transitions.js';
import { sample } from '../support/machines/sample.js';

it('has the states of a machine, nested as they are', () => {
  const leaf = { type: 'atomic', tags: [], invokes: [], states: [] };
  expect(statechartOf(sample, 'home')).toMatchObject({
    machine: 'home',
    root: {
      id: '',
      key: 'house',
      type: 'parallel',
      tags: [],
      invokes: [],
      states: [
        {
          id: 'door',
          key: 'door',
          type: 'compound',
          initial: 'door.closed',
          states: [
            {
              ...leaf,
              id: 'door.closed',
              key: 'closed',
              description: 'Nobody comes in. Left when it opens.',
              invokes: ['knock'],
            },
            {
              id: 'door.wide open',
              key: 'wide open',
              type: 'compound',
              initial: 'door.wide open.empty',
              states: [
                { ...leaf, id: 'door.wide open.empty', key: 'empty' },
                { ...leaf, id: 'door.wide open.full', key: 'full' },
              ],
            },
            { ...leaf, id: 'door.locked', key: 'locked' },
          ],
        },
        { id: 'bell', initial: 'bell.still', states: [{ ...leaf, id: 'bell.still', key: 'still' }] },
      ],
    },
  });
});

it('has the transitions, each under an id that says where it is in the code', () => {
  const { transitions } = statechartOf(sample);
  expect(transitions.slice(0, 2)).toEqual([
    {
      id: 'door:lock#0',
      source: 'door',
      target: 'door.locked',
      event: 'lock',
      eventType: 'lock',
      actions: [],
    },
    {
      id: 'door.closed:open#0',
      source: 'door.closed',
      target: 'door.wide open',
      event: 'open',
      eventType: 'open',
      actions: ['squeak'],
    },
  ]);
  expect(transitions.find(({ id }) => id === 'door.wide open.empty:#0')).toMatchObject({
    event: '',
    guard: 'it has a key',
    target: 'door.wide open.full',
  });
  expect(transitions.find(({ source }) => source === 'bell.still')).toMatchObject({
    id: 'bell.still:ring#0',
    target: null,
  });
});

it('names the other targets where several regions are entered at once', () => {
  const machine = createMachine({
    id: 'twin',
    initial: 'out',
    states: {
      out: { on: { enter: { target: ['#twin.in.left.far', '#twin.in.right.far'] } } },
      in: {
        type: 'parallel',
        states: {
          left: { initial: 'near', states: { near: {}, far: {} } },
          right: { initial: 'near', states: { near: {}, far: {} } },
        },
      },
    },
  });
  expect(statechartOf(machine).transitions).toMatchObject([
    { target: 'in.left.far', alsoTo: ['in.right.far'] },
  ]);
});

it('knows what an actor of a provided copy takes by the ids of the machine', () => {
  const taken: string[] = [];
  const actor = createActor(sample.provide({ actions: { squeak: () => {} } }), {
    inspect: (inspected) => {
      if (inspected.type === '@xstate.microstep') taken.push(...inspected._transitions.map(transitionIdOf));
    },
  });
  actor.start();
  actor.send({ type: 'open' });
  actor.stop();
  expect(taken).toEqual(['door.closed:open#0', 'door.wide open.empty:#0']);
});

describe.each(Object.entries(machines))('the chart of the %s machine', (name, machine) => {
  const chart = statechartOf(machine, name);

  it('has every state and every transition once, and is JSON', () => {
    expect(chartStates(chart.root)).toHaveLength(statesOf(machine).length + 1);
    const ids = chart.transitions.map(({ id }) => id);
    const own = [machine.root, ...statesOf(machine)].flatMap(ownTransitions).map(transitionIdOf);
    expect(ids).toEqual(own);
    expect(new Set(ids).size).toBe(ids.length);
    expect(JSON.parse(JSON.stringify(chart))).toEqual(chart);
  });
});
