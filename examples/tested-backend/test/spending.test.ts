import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { expectPath, pathsOf, requestEvents, startMachine, transitionCoverage, walk } from 'tsworker/testing';
import { spendingMachine } from '../spending.js';

const HOUR_MS = 60 * 60 * 1_000;
const coverage = transitionCoverage(spendingMachine);
const start = (budget: number) =>
  startMachine(spendingMachine, { input: { budget }, inspect: coverage.inspect });

/** A request that has cost this much, as a worker tells of it. */
const costing = (workload: number) => requestEvents.ended('succeeded', { workload });

describe('spending', () => {
  test('the money of a day is spent, and there is new money the next day', async () => {
    using spending = start(10);
    await spending.send(costing(4));
    await spending.send(costing(6));
    await spending.advance(23 * HOUR_MS);
    assert.deepEqual(spending.states(), ['spent']);
    await spending.advance(HOUR_MS);
    expectPath(spending).toEqual(['within budget', 'spent', 'within budget']);
    assert.equal(spending.actor.getSnapshot().context.spent, 0);
  });

  test('a larger budget goes on at once', async () => {
    using spending = start(10);
    await spending.send(costing(10));
    await spending.send({ type: 'budget.raised', by: 5 });
    expectPath(spending).toEqual(['within budget', 'spent', 'within budget']);
  });

  const input = { budget: 10 };
  const events = [costing(10), { type: 'budget.raised', by: 5 }] as const;
  for (const path of pathsOf(spendingMachine, { input, events, kind: 'simple' })) {
    test(`path: ${path.name}`, async () => {
      using spending = start(input.budget);
      await walk(path, spending);
    });
  }

  after(() => {
    console.log(coverage.toText());
    coverage.expectAtLeast({ states: 100, transitions: 100 });
  });
});
