import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Completion } from '../../machines/outbox.js';
import {
  type CompletionsLife,
  type CompletionsSchedule,
  completionsSchedules,
  liveCompletions,
} from '../support/machines/completions-simulation.js';

/** What holds at any time, whether the autoscaler has healed or not. */
function expectTheLaw(life: CompletionsLife, { input }: CompletionsSchedule): void {
  const told = new Set(life.acknowledged.flat());
  const left = new Set(life.left);
  const lost = life.added.filter((one) => !told.has(one) && !left.has(one));
  expect(lost.length).toBeLessThanOrEqual(life.dropped);
  expect(life.acknowledged.flat()).toHaveLength(told.size);
  // They are told in the order in which they ended, but for those that make way for others.
  const order = new Map<Completion, number>(life.added.map((one, index) => [one, index]));
  const inOrder = life.acknowledged.flat().filter((one) => !life.refusedAlone.has(one));
  const places = inOrder.map((one) => order.get(one) ?? Number.NaN);
  for (const [index, place] of places.slice(1).entries()) expect(place).toBeGreaterThan(places[index] ?? 0);
  for (const one of left) expect(told.has(one)).toBe(false);

  expect(life.mostAtOnce).toBeLessThanOrEqual(1);
  expect(life.largestBatch).toBeLessThanOrEqual(input.batchLimit);
  for (const ms of life.gapsMs) expect(ms).toBeGreaterThanOrEqual(input.gapMs);
  for (const waiting of life.leftWhenFlushed) expect(waiting).toBe(0);
  expect(life.timersLeft).toBe(0);
  expectToldInEvents(life);
}

function expectToldInEvents({ emitted, acknowledged, dropped }: CompletionsLife): void {
  const counts = emitted.flatMap((event) => (event.type === 'completions.delivered' ? [event.count] : []));
  expect(counts).toEqual(acknowledged.map(({ length }) => length));
  const drops = emitted.flatMap((event) => (event.type === 'completions.dropped' ? [event.total] : []));
  const refusals = emitted.flatMap((event) => (event.type === 'completions.refused' ? [event.total] : []));
  // The first is always told, whether the outbox was full or it was refused; and each that is refused.
  expect(drops.length + refusals.length > 0).toBe(dropped > 0);
  expect(new Set(refusals).size).toBe(refusals.length);
  expect(Math.max(0, ...refusals, ...drops)).toBeGreaterThan(dropped / 2 - 1);
  const outages = emitted.filter(({ type }) => type.includes('outage')).map(({ type }) => type);
  expect(outages).toEqual(
    outages.map((_, index) => (index % 2 === 0 ? 'completions.outage.began' : 'completions.outage.ended')),
  );
}

/** So that a schedule which never meets trouble does not pass for a proof. */
class Met {
  readonly #counts = new Map<string, number>();

  note({ emitted, dropped, told, gapsMs, acknowledged, refusedAlone }: CompletionsLife): void {
    for (const type of new Set(emitted.map((event) => event.type))) this.#count(type);
    if (dropped === 0) this.#count('nothing dropped');
    if (told.length > 1) this.#count('flushed again');
    if (gapsMs.length > 0) this.#count('gaps');
    if (acknowledged.flat().some((one) => refusedAlone.has(one))) this.#count('taken after all');
  }

  expectAtLeast(least: number, ...names: string[]): void {
    for (const name of names) expect([name, (this.#counts.get(name) ?? 0) >= least]).toEqual([name, true]);
  }

  #count(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }
}

/** Hundreds of whole lives take a few seconds on a machine of one's own, and more on a busy one. */
vi.setConfig({ testTimeout: 60_000 });

describe('finished requests, under any schedule of an autoscaler that fails, hangs and answers late', () => {
  it('are each in exactly one acknowledged batch, or counted as dropped, once it has healed', async () => {
    const met = new Met();
    await fc.assert(
      fc.asyncProperty(completionsSchedules({ is: 'accepted', afterMs: 20 }), async (schedule) => {
        const life = await liveCompletions(schedule);
        met.note(life);
        expectTheLaw(life, schedule);
        expect(life.left).toEqual([]);
        expect(life.told.length).toBeGreaterThanOrEqual(1);
        if (life.dropped === 0) expect(life.acknowledged.flat().length).toBe(life.added.length);
      }),
      { numRuns: 300 },
    );
    met.expectAtLeast(
      50,
      'completions.delivered',
      'completions.failed',
      'completions.outage.began',
      'completions.outage.ended',
      'completions.dropped',
      'completions.refused',
      'nothing dropped',
      'flushed again',
      'gaps',
    );
    met.expectAtLeast(5, 'taken after all');
  });

  it('are told, left, or counted as dropped when it never heals, and its answers come when nobody waits', async () => {
    const met = new Met();
    await fc.assert(
      fc.asyncProperty(completionsSchedules({ is: 'never' }), async (schedule) => {
        const life = await liveCompletions(schedule);
        met.note(life);
        expectTheLaw(life, schedule);
        const told = life.acknowledged.flat().length;
        if (life.dropped === 0) expect(told + life.left.length).toBe(life.added.length);
      }),
      { numRuns: 150 },
    );
    met.expectAtLeast(25, 'completions.failed', 'completions.dropped', 'nothing dropped');
  });
});
