import { describe, expect, it } from 'vitest';
import { assign, createMachine, type EventObject, fromPromise, setup } from 'xstate';
import { lifecycleMachine } from '../../machines/lifecycle.js';
import { expectPath, machineTarget, pathsOf, startMachine, walk } from '../../src/testing/index.js';
import { LIFECYCLE_INPUT } from '../support/machines/lifecycle.js';

const lamp = setup({
  types: { context: {} as { warm: boolean }, events: {} as { type: 'press' } | { type: 'break' } },
  actors: { warmUp: fromPromise<number>(() => new Promise<number>(() => {})) },
  guards: { 'it is bright': (_, brightness: number) => brightness > 5 },
}).createMachine({
  id: 'lamp',
  context: { warm: false },
  initial: 'off',
  states: {
    off: { on: { press: 'warming' } },
    warming: {
      invoke: {
        src: 'warmUp',
        id: 'warmUp',
        onDone: [
          { guard: { type: 'it is bright', params: ({ event }) => event.output }, target: 'on' },
          { target: 'dim' },
        ],
        onError: 'broken',
      },
    },
    on: { after: { 60000: 'off' }, on: { break: 'broken' } },
    dim: { after: { 60000: 'off' } },
    broken: { type: 'final' },
  },
});

const EVENTS = [
  { type: 'press' },
  { type: 'warmUp done', output: 9 },
  { type: 'warmUp done', output: 1 },
  { type: 'warmUp failed', error: new Error('no power') },
] as const;

describe('paths', () => {
  it('lead to each state on the shortest way, as events to send and states to expect', () => {
    const paths = pathsOf(lamp, { events: EVENTS });
    expect(paths.map(({ name }) => name)).toEqual([
      'off',
      'off, press → warming',
      'off, press → warming, warmUp done → on',
      'off, press → warming, warmUp done → dim',
      'off, press → warming, warmUp failed → broken',
    ]);
    expect(paths[2]).toMatchObject({
      start: ['off'],
      steps: [
        { event: { type: 'press' }, states: ['warming'] },
        { event: { type: 'xstate.done.actor.warmUp', output: 9 }, states: ['on'] },
      ],
    });
  });

  it('are all those that go through no state twice, where that is asked for', () => {
    const paths = pathsOf(lamp, { kind: 'simple', events: [...EVENTS, { type: 'break' }] });
    expect(paths.map(({ name }) => name)).toContain('off, press → warming, warmUp done → on, break → broken');
  });

  it('lead through timers by themselves', () => {
    const reached = new Set(
      pathsOf(lamp, { events: EVENTS, kind: 'simple', distinguish: ({ context }) => context.warm }).flatMap(
        ({ steps }) => steps.map(({ event }) => event.type),
      ),
    );
    expect(reached).not.toContain('break');
    expect(pathsOf(lifecycleMachine, { input: LIFECYCLE_INPUT, events: [] }).at(-1)?.name).toMatch(
      /^work\.loading/,
    );
  });

  it('name an event that the machine does not hear', () => {
    // @ts-expect-error it is no event of the machine
    expect(() => pathsOf(lamp, { events: [{ type: 'pull' }] })).toThrow(
      'The lamp machine hears no "pull"; it hears press, warmUp done, warmUp failed, break, after 60000.',
    );
  });

  it('are not looked for in a machine that could not even begin, nor of a kind that there is not', () => {
    const door = setup({ types: { input: {} as { tries: number } } }).createMachine({
      id: 'door',
      context: ({ input }) => ({ left: input.tries }),
    });
    expect(() => pathsOf(door, { events: [] })).toThrow(
      "Cannot read properties of undefined (reading 'tries')",
    );
    expect(() => machineTarget(door)).toThrow("Cannot read properties of undefined (reading 'tries')");
    expect(() => pathsOf(lamp, { events: EVENTS, kind: 'all' as 'simple' })).toThrow(
      'There are no paths of the kind "all"; there are shortest and simple.',
    );
  });

  it('are looked for up to a limit, which there is by default', () => {
    expect(pathsOf(lamp, { events: EVENTS, limit: 100 })).toHaveLength(5);
    expect(() => pathsOf(lamp, { events: EVENTS, limit: 2 })).toThrow('Traversal limit exceeded');
    const below = (child: 0 | 1) =>
      assign<{ place: number }, EventObject, undefined, EventObject, never>({
        place: ({ context: { place } }) => (place < 8_192 ? 2 * place + child : place),
      });
    const tree = createMachine({
      context: { place: 1 },
      on: { left: { actions: below(0) }, right: { actions: below(1) } },
    });
    const options = { events: [{ type: 'left' }, { type: 'right' }] };
    const distinguish = ({ context }: { context: { place: number } }) => context.place;
    expect(() => pathsOf(tree, { ...options, distinguish })).toThrow('Traversal limit exceeded');
  });

  it('lead over wildcards, by whatever falls under them', () => {
    const model = createMachine({
      id: 'model',
      initial: 'up',
      states: {
        up: { on: { 'model.*': 'down' } },
        down: { on: { '*': 'up' } },
      },
    });
    const events = [{ type: 'model.gone.away' }, { type: 'anything' }];
    const paths = pathsOf(model, { events, kind: 'simple' });
    expect(paths.map(({ name }) => name)).toEqual(['up', 'up, model.gone.away → down']);
    expect(() => pathsOf(model, { events: [{ type: 'load done' }] })).toThrow(
      'The model machine hears no "load done"; it hears model.*, *.',
    );
    const narrow = createMachine({ id: 'narrow', on: { 'model.*': {} } });
    expect(() => pathsOf(narrow, { events: [{ type: 'models.gone' }] })).toThrow('hears no "models.gone"');
  });

  it.each(pathsOf(lamp, { events: EVENTS }))('are walked by the machine at work: $name', async (path) => {
    using running = startMachine(lamp);
    await walk(path, running);
    expectPath(running).toEqual([...path.start, ...path.steps.flatMap(({ states }) => states)]);
  });

  it('are left by a machine at work whose effects lead elsewhere, or end it', async () => {
    const [, warming] = pathsOf(lamp, { events: EVENTS });
    const walked = async (warmUp: () => Promise<number>) => {
      using running = startMachine(lamp.provide({ actors: { warmUp: fromPromise(warmUp) } }));
      await walk(warming as NonNullable<typeof warming>, running);
    };
    await expect(walked(async () => 9)).rejects.toThrow('in on instead of warming.');
    await expect(walked(() => new Promise(() => {}))).resolves.toBeUndefined();
  });

  it('hold on a machine itself until something ends it', async () => {
    const [, , bright] = pathsOf(lamp, { events: EVENTS });
    const path = bright as NonNullable<typeof bright>;
    await walk(path, machineTarget(lamp));
    const dim = lamp.provide({ guards: { 'it is bright': () => false } });
    await expect(walk(path, machineTarget(dim))).rejects.toThrow('in dim instead of on.');
    const unwell = machineTarget(lamp);
    const gone = { type: 'xstate.error.actor.nobody', error: new Error('no power') };
    expect(() => unwell.send(gone)).toThrow('no power');
  });

  it('name the step after which a target is elsewhere', async () => {
    const [, , path] = pathsOf(lamp, { events: EVENTS });
    const stuck = { send: () => {}, states: () => ['off'] };
    await expect(walk(path as NonNullable<typeof path>, stuck)).rejects.toThrow(
      expect.objectContaining({
        code: 'ERR_ASSERTION',
        message: expect.stringMatching(
          /^It is elsewhere after step 1, press, on the path off, press → warming, warmUp done → on: in off instead of warming\./,
        ),
        actual: ['off'],
        expected: ['warming'],
      }),
    );
  });
});

it('a run of the worker from loading to serving and through a failure is a path of the lifecycle', async () => {
  const told = { type: 'report.acknowledged', phase: 'loaded', covers: ['state'] } as const;
  const window = { basis: 0, cutAtMs: 0, work: {}, upTo: {}, sinceMs: {} };
  const paths = pathsOf(lifecycleMachine, {
    input: LIFECYCLE_INPUT,
    events: [
      { type: 'load done', output: { ok: true, loadTimeSeconds: 1, maxPerf: 5 } },
      { ...told, window },
      { type: 'backend.failed', message: 'out of memory' },
      { type: 'stop.requested', reason: 'SIGTERM' },
      { type: 'finish done' },
    ],
  });
  const works = paths.map(({ steps }) => steps.at(-1)?.states[0]);
  expect(works).toEqual(expect.arrayContaining(['work.serving', 'work.failing', 'work.stopped']));
  for (const path of paths) await walk(path, machineTarget(lifecycleMachine, { input: LIFECYCLE_INPUT }));
});
