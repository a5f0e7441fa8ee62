import { expect, it } from 'vitest';
import { createActor, fromPromise, setup } from 'xstate';
import { reporterMachine } from '../../machines/reporter.js';
import type { Attempt, Delivery } from '../../machines/reports.js';
import { SteppedClock, turn } from '../../src/testing/clock.js';
import { garbageCollector } from '../support/garbage.js';
import { DELIVERY, LOADED, REPORTER_INPUT } from '../support/machines/reporter.js';

const collectGarbage = garbageCollector();

async function heapInUse(): Promise<number> {
  await turn();
  collectGarbage();
  await turn();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

it('50 000 reports, each eighth of them refused, leave neither memory nor timers behind', async () => {
  const clock = new SteppedClock();
  let sent = 0;
  const send = fromPromise<Delivery, Attempt>(() =>
    ++sent % 8 === 0 ? Promise.reject(new Error('refused')) : Promise.resolve(DELIVERY),
  );
  const parent = setup({
    types: { children: {} as { reporter: 'reporter' } },
    actors: { reporter: reporterMachine.provide({ actors: { send } }) },
  }).createMachine({
    invoke: {
      id: 'reporter',
      src: 'reporter',
      input: { ...REPORTER_INPUT, backOff: { baseMs: 1, capMs: 1 } },
    },
  });
  const root = createActor(parent, { clock }).start();
  const reporter = root.getSnapshot().children.reporter;
  let mostTimers = 0;

  async function report(count: number): Promise<void> {
    for (const until = sent + count; sent < until; ) {
      reporter?.send(sent % 2 === 0 ? { type: 'work.due' } : { type: 'status.changed', status: LOADED });
      await turn();
      if (reporter?.getSnapshot().value === 'backing off') await clock.advance(1);
      mostTimers = Math.max(mostTimers, clock.waiting);
    }
  }

  await report(5_000);
  const before = await heapInUse();
  await report(45_000);
  const after = await heapInUse();

  expect(sent).toBeGreaterThanOrEqual(50_000);
  expect(mostTimers).toBeLessThanOrEqual(2);
  // Less than 20 bytes a report: xstate alone would keep some 200 for each event type or child of its own.
  expect(after - before).toBeLessThan(45_000 * 20);
  expect(Object.keys(reporter?.getSnapshot().children ?? {})).toEqual([]);
  root.stop();
  expect(clock.waiting).toBe(0);
  // Much more than it takes: collecting garbage is slow where others are at work.
}, 90_000);
