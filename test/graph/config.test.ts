import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, assign, createMachine, fromPromise } from 'xstate';
import { graph } from '../../src/cli/commands/graph.js';
import { toConfigJson } from '../../src/graph/config.js';
import { machines } from '../../src/graph/machines.js';
import { statechartOf } from '../../src/graph/statechart.js';
import { pathsOf } from '../../src/testing/index.js';
import { FLEET_WORKER_INPUT } from '../support/machines/fleet-worker.js';
import { HEALTH_INPUT, LIFECYCLE_INPUT, SUPERVISOR_INPUT } from '../support/machines/lifecycle.js';
import { PUBLIC_KEY_INPUT } from '../support/machines/public-key.js';
import { READINESS_INPUT } from '../support/machines/readiness.js';
import { REPORTER_INPUT } from '../support/machines/reporter.js';
import { sample } from '../support/machines/sample.js';

/** What each machine begins with: the context is no part of the JSON. */
const INPUTS: Readonly<Record<string, unknown>> = {
  lifecycle: { ...LIFECYCLE_INPUT, health: HEALTH_INPUT, supervisor: SUPERVISOR_INPUT },
  readiness: READINESS_INPUT,
  reload: { intervalMs: 1, failedLoads: 1, byLog: true, loaded: false },
  benchmark: { timeoutMs: 1, probeRetryMs: 1, at: '' },
  health: HEALTH_INPUT,
  reporter: REPORTER_INPUT,
  completions: { addresses: [], backOff: { baseMs: 1, capMs: 1 }, seed: 1, intervalMs: 1 },
  'public-key': PUBLIC_KEY_INPUT,
  supervisor: SUPERVISOR_INPUT,
  'fleet-worker': FLEET_WORKER_INPUT,
};

/** What may come with any event, so that what is computed from it can be. */
const PAYLOAD = {
  output: { ok: true },
  error: new Error('no'),
  message: 'm',
  reason: 'r',
  what: {},
  covers: [],
};

/** The states and transitions alone: nothing is done, and each guard says what its name would in a world. */
function bare(machine: AnyStateMachine, { implementations }: AnyStateMachine, says: Says): AnyStateMachine {
  const all = <T>(names: object, stand: (name: string) => T) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, stand(name)]));
  return machine.provide({
    guards: all(implementations.guards, (name) => () => says(name)),
    actions: all(implementations.actions, () => () => {}),
    delays: all(implementations.delays, () => 1),
    actors: implementations.actors,
  });
}

type Says = (guard: string) => boolean;

/** In two of these worlds a guard and its contrary say different things: some machines would go round for ever else. */
const WORLDS: Readonly<Record<string, Says>> = {
  'what denies is wrong': (guard) => !DENIES.test(guard),
  'what denies is right': (guard) => DENIES.test(guard),
  'everything is right': () => true,
};
const DENIES = /\b(no|not|nothing)\b/;
/** The one would go round, the other has so many paths that one world is enough. */
const MOST_WORLDS: Readonly<Record<string, number>> = { readiness: 2, lifecycle: 1 };

function namesOfPaths(machine: AnyStateMachine, input: unknown): string[] {
  const types = new Set(statechartOf(machine).transitions.map(({ eventType }) => eventType));
  types.delete('');
  const events = [...types].map((type) => ({ type, ...PAYLOAD }));
  return pathsOf(machine, { events, input }).map(({ name }) => name);
}

describe.each(Object.entries(machines))('the JSON of the %s machine', (name, machine) => {
  const again = createMachine(JSON.parse(graph(name, 'json')));

  it('rebuilds its states and its transitions', () => {
    expect(statechartOf(again)).toEqual(statechartOf(machine));
  });

  it('leads along the same paths, whatever its guards say', () => {
    const worlds = Object.values(WORLDS).slice(0, MOST_WORLDS[name]);
    const paths = worlds.map((says) => namesOfPaths(bare(machine, machine, says), INPUTS[name]));
    expect(worlds.map((says) => namesOfPaths(bare(again, machine, says), undefined))).toEqual(paths);
    expect(paths.flat()).not.toEqual([]);
  });
});

it('rebuilds parallel and nested states, timers and actors', () => {
  const again = createMachine(JSON.parse(toConfigJson(sample)));
  expect(statechartOf(again)).toEqual(statechartOf(sample));
});

it('has what has no name by what built it', () => {
  const machine = createMachine({
    id: 'inline',
    context: () => ({ count: 0 }),
    invoke: { src: fromPromise(async () => 1), id: 'ask', onDone: {} },
    on: { go: { guard: () => true, actions: [assign({ count: 1 }), () => {}] } },
  });
  expect(JSON.parse(toConfigJson(machine))).toEqual({
    id: 'inline',
    invoke: { src: 'inline', id: 'ask', onDone: {} },
    on: { go: { guard: { type: 'inline' }, actions: [{ type: 'assign' }, { type: 'inline' }] } },
  });
});
