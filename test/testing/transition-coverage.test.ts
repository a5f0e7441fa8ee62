import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createActor, createMachine, setup, waitFor } from 'xstate';
import { SteppedClock } from '../../src/testing/clock.js';
import { Effect } from '../../src/testing/effect.js';
import { gatherCoverage, transitionCoverage } from '../../src/testing/index.js';

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
  'state cold',
  'state hot',
  'state hot.still',
  'state hot.boiling',
  'state off',
  'transition kettle on unplug → off',
  'transition cold on work done → hot',
  'transition cold on work failed → off',
  'transition cold on heat [it is hot] → hot',
  'transition cold on heat stays',
  'transition hot on after 100 → cold',
  'transition hot on hot done → off',
  'transition hot.still at once [it is hot] → hot.boiling',
  'transition off on unplug is ignored',
];

describe('transition coverage', () => {
  it('lists every state and transition from the machine, untaken at first', () => {
    const coverage = transitionCoverage(machineOf());
    expect(coverage.untaken().toSorted()).toEqual(ALL.toSorted());
    expect(String(coverage)).toBe('kettle: 0 of 5 states, 0 of 9 transitions');
  });

  it('notes what actors of it take, copies made by provide() included, until nothing is left', async () => {
    const coverage = transitionCoverage(machineOf());
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
    expect(String(coverage)).toBe('kettle: 5 of 5 states, 9 of 9 transitions');
  });

  it('does not take another machine for its own', () => {
    const coverage = transitionCoverage(machineOf());
    const other = createMachine({ id: 'pot', initial: 'cold', states: { cold: {} } });
    createActor(other, { inspect: coverage.inspect }).start().stop();
    expect(coverage.untaken()).toHaveLength(ALL.length);
    const config = { initial: 'on', states: { on: {} } };
    const [nameless, another] = [createMachine(config), createMachine({ ...config })];
    const ofNameless = transitionCoverage(nameless);
    createActor(another, { inspect: ofNameless.inspect }).start().stop();
    expect(ofNameless.untaken()).toEqual(['state on']);
    createActor(nameless.provide({}), { inspect: ofNameless.inspect }).start().stop();
    expect(ofNameless.untaken()).toEqual([]);
  });

  it('does not take what another machine of the same id does', () => {
    const coverage = transitionCoverage(machineOf());
    const other = createMachine({
      id: 'kettle',
      initial: 'cold',
      states: { cold: { on: { heat: 'hot' } }, hot: {} },
    });
    const actor = createActor(other, { inspect: coverage.inspect }).start();
    actor.send({ type: 'heat' });
    actor.stop();
    expect(coverage.untaken()).toHaveLength(ALL.length);
    createActor(machineOf(), { inspect: coverage.inspect }).start().stop();
    expect(coverage.untaken()).not.toContain('state cold');
  });

  it('is told as text, as JSON and as a drawing with the untaken in red', async () => {
    const coverage = transitionCoverage(door, { name: 'the door' });
    const actor = createActor(door, { inspect: coverage.inspect }).start();
    actor.send({ type: 'open' });
    actor.stop();
    expect(coverage.toText()).toBe(
      [
        'the door: 2 of 3 states, 1 of 3 transitions',
        '  not taken: state locked',
        '  not taken: transition closed on lock → locked',
        '  not taken: transition open on shut → closed',
      ].join('\n'),
    );
    const states = [
      { id: 'closed', name: 'closed', taken: true },
      { id: 'open', name: 'open', taken: true },
      { id: 'locked', name: 'locked', taken: false },
    ];
    expect(JSON.parse(JSON.stringify(coverage))).toEqual({
      machine: 'the door',
      states,
      transitions: [
        { id: 'closed:open#0', name: 'closed on open → open', taken: true },
        { id: 'closed:lock#0', name: 'closed on lock → locked', taken: false },
        { id: 'open:shut#0', name: 'open on shut → closed', taken: false },
      ],
    });
    const untaken = [...(await coverage.toSvg()).matchAll(/class="[^"]* untaken" data-\w+="([^"]*)"/g)];
    expect(new Set(untaken.map(([, id]) => id))).toEqual(new Set(['locked', 'closed:lock#0', 'open:shut#0']));
  });

  it('fails what takes less than a threshold, by name', () => {
    const coverage = transitionCoverage(door);
    const actor = createActor(door, { inspect: coverage.inspect }).start();
    actor.send({ type: 'open' });
    actor.stop();
    expect(() => coverage.expectAtLeast({ states: 66, transitions: 33 })).not.toThrow();
    expect(() => coverage.expectAtLeast({ states: 66, transitions: 34 })).toThrow(
      /^66 % of the states and 34 % of the transitions are to be taken\.\ndoor: .*\n {2}not taken: state locked\n/,
    );
    expect(() => coverage.expectAtLeast({ states: 67, transitions: 33 })).toThrow(/^67 % of the states/);
    expect(() => coverage.expectAtLeast()).toThrow(expect.objectContaining({ code: 'ERR_ASSERTION' }));
  });

  it('takes what is just as much as is wanted, which is all by default', () => {
    const coverage = transitionCoverage(door);
    for (const events of [['open', 'shut'], ['lock']] as const) {
      const actor = createActor(door, { inspect: coverage.inspect }).start();
      for (const type of events) actor.send({ type });
      actor.stop();
    }
    expect(coverage.untaken()).toEqual([]);
    coverage.expectAtLeast();
  });
});

describe('coverage in a folder', () => {
  it('sums up what several processes took', async () => {
    const folder = emptyFolder();
    const here = createActor(door, { inspect: transitionCoverage(door, { folder }).inspect }).start();
    here.send({ type: 'open' });
    here.stop();
    await inProcess(`
      import { createActor, createMachine } from 'xstate';
      import { transitionCoverage } from ${JSON.stringify(KIT)};
      const door = createMachine(${JSON.stringify(door.config)});
      const { inspect } = transitionCoverage(door, { folder: ${JSON.stringify(folder)} });
      createActor(door, { inspect }).start().send({ type: 'lock' });
    `);
    expect(gatherCoverage(door, { folder }).untaken()).toEqual(['transition open on shut → closed']);
    const gate = createMachine({ id: 'gate', on: { open: {} } });
    expect(gatherCoverage(gate, { folder }).untaken()).toEqual(['transition gate on open is ignored']);
  });

  it('keeps machines apart of which one is called as another begins', () => {
    const folder = emptyFolder();
    const back = createMachine({ ...door.config, id: 'door.back' });
    const actor = createActor(back, { inspect: transitionCoverage(back, { folder }).inspect }).start();
    actor.stop();
    expect(gatherCoverage(back, { folder }).untaken()).not.toContain('state closed');
    expect(gatherCoverage(door, { folder }).untaken()).toContain('state closed');
  });

  it('is refused when there is no folder of that name', () => {
    const folder = join(emptyFolder(), 'never-made');
    expect(() => gatherCoverage(door, { folder })).toThrow(
      `There is no folder ${folder} with coverage: run tests first that keep it there, with transitionCoverage(machine, { folder }).`,
    );
  });

  it('is refused when it is of another version of the machine', () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'door.1.0.jsonl'), `{"state":"ajar"}\n`);
    expect(() => gatherCoverage(door, { folder })).toThrow(
      'The door machine has no "ajar": the folder is of another version, empty it first.',
    );
  });
});

const KIT = new URL('../../src/testing/index.ts', import.meta.url).href;

const door = createMachine({
  id: 'door',
  initial: 'closed',
  states: {
    closed: { on: { open: 'open', lock: 'locked' } },
    open: { on: { shut: 'closed' } },
    locked: {},
  },
});

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-coverage-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function inProcess(code: string): Promise<void> {
  const options = ['--import', 'tsx', '--input-type=module', '--eval', code];
  await promisify(execFile)(process.execPath, options, { cwd: new URL('../..', import.meta.url) });
}
