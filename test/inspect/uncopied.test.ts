import { describe, expect, it } from 'vitest';
import { createActor, createMachine } from 'xstate';
import type { Happening } from '../../src/inspect/contract.js';
import { Inspector } from '../../src/inspect/inspector.js';
import type { LogFields } from '../../src/log.js';

/** Nothing can be read of it. */
const unreadable = () =>
  new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('it has no members');
      },
    },
  );

function inspected() {
  const warnings: [string, LogFields | undefined][] = [];
  const warn = (message: string, fields?: LogFields) => void warnings.push([message, fields]);
  const inspector = new Inspector({
    ...{ version: '1', backend: 'b', recordTo: null, statelyTo: null, now: () => 0 },
    redact: (text) => text,
    log: { debug: () => {}, info: () => {}, error: () => {}, warn },
  });
  const happenings = () => inspector.after(0).map(({ text }) => JSON.parse(text) as Happening);
  return { inspector, warnings, happenings };
}

describe('what can not be copied', () => {
  it('has happened all the same, takes nothing else with it, and is counted', async () => {
    const { inspector, warnings, happenings } = inspected();
    const machine = createMachine({ id: 'm', on: { '*': {} } });
    const actor = createActor(machine, { inspect: inspector.inspect }).start();
    actor.send({ type: 'one', nested: unreadable() });
    inspector.log.info('between', { event: 'said' });
    actor.send({ type: 'two', nested: unreadable() });
    actor.send({ type: 'three' });
    const told = happenings().map(({ seq, nth, event, details }) => [seq, nth, event, details]);
    expect(told).toEqual([
      [1, 0, 'started', {}],
      [2, 1, 'one', { $cut: true }],
      [3, 0, 'said', { level: 'info', message: 'between', event: 'said' }],
      [4, 2, 'two', { $cut: true }],
      [5, 3, 'three', { type: 'three' }],
    ]);
    const event = 'inspect.problem';
    const first = [
      'what happens is not shown as it should be: it has no members',
      { event, reason: 'it has no members' },
    ];
    expect(warnings).toEqual([first]);
    await inspector.close();
    expect(warnings).toEqual([
      first,
      ['what has happened was not shown as it should be, 2 times', { event, count: 2 }],
    ]);
  });

  it('and has not even a name leaves its numbers empty, among all and among those of its actor', () => {
    const { inspector, warnings, happenings } = inspected();
    const machine = createMachine({ id: 'm', on: { '*': {} } });
    const actor = createActor(machine, { inspect: inspector.inspect }).start();
    const nameless: { type: unknown } = { type: 'lost' };
    actor.send({ type: 'one' });
    actor.send(nameless as { type: string });
    actor.send({ type: 'two' });
    // No text can be made of it.
    nameless.type = Symbol();
    expect(happenings().map(({ seq, nth, event }) => [seq, nth, event])).toEqual([
      [1, 0, 'started'],
      [2, 1, 'one'],
      [4, 3, 'two'],
    ]);
    expect(warnings).toHaveLength(1);
  });
});
