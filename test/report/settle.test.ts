import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Settle } from '../../src/settle.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function settling() {
  const toldAtMs: number[] = [];
  const beganAtMs = Date.now();
  const settle = new Settle(1_000, () => toldAtMs.push(Date.now() - beganAtMs));
  return { settle, toldAtMs };
}

it('tells of a change a while after it', () => {
  const { settle, toldAtMs } = settling();
  settle.changed();
  vi.advanceTimersByTime(999);
  expect(toldAtMs).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(toldAtMs).toEqual([1_000]);
});

it('tells of many changes once, a while after the first, so that changes without end are told as well', () => {
  const { settle, toldAtMs } = settling();
  for (let change = 0; change < 31; change++) {
    settle.changed();
    vi.advanceTimersByTime(100);
  }
  vi.advanceTimersByTime(10_000);
  expect(toldAtMs).toEqual([1_000, 2_000, 3_000, 4_000]);
});

it('tells nothing where nothing has changed', () => {
  const { toldAtMs } = settling();
  vi.advanceTimersByTime(10_000);
  expect(toldAtMs).toEqual([]);
});

it('tells nothing once it is stopped, and stopping again changes nothing', () => {
  const { settle, toldAtMs } = settling();
  settle.changed();
  settle.stop();
  settle.stop();
  vi.advanceTimersByTime(10_000);
  expect(toldAtMs).toEqual([]);
});

it('tells at once of a change that is not told yet, once, and else nothing', () => {
  const { settle, toldAtMs } = settling();
  settle.flush();
  settle.changed();
  vi.advanceTimersByTime(300);
  settle.flush();
  settle.flush();
  vi.advanceTimersByTime(10_000);
  expect(toldAtMs).toEqual([300]);
});

it('does not keep a process alive', () => {
  vi.useRealTimers();
  const set = vi.spyOn(globalThis, 'setTimeout');
  const settle = new Settle(60_000, () => {});
  settle.changed();
  const [timer] = set.mock.results;
  expect(timer?.value.hasRef()).toBe(false);
  settle.stop();
  set.mockRestore();
  vi.useFakeTimers();
});
