import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Gathering } from '../../src/gathering.js';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function gatheringFor(whileMs: number) {
  const bundles: (readonly number[])[] = [];
  return { bundles, gathering: new Gathering<number>(whileMs, (items) => bundles.push(items)) };
}

it('hands over in one go what came within a while after the first, in order', () => {
  const { bundles, gathering } = gatheringFor(20);
  gathering.add(1);
  vi.advanceTimersByTime(19);
  gathering.add(2);
  expect(bundles).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(bundles).toEqual([[1, 2]]);
  gathering.add(3);
  vi.advanceTimersByTime(20);
  expect(bundles).toEqual([[1, 2], [3]]);
  expect(vi.getTimerCount()).toBe(0);
});

it('hands over at once when it is flushed, each once, and nothing where there is nothing', () => {
  const { bundles, gathering } = gatheringFor(20);
  gathering.flush();
  gathering.add(1);
  gathering.flush();
  expect(bundles).toEqual([[1]]);
  expect(vi.getTimerCount()).toBe(0);
});
