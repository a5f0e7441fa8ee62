import { afterEach, describe, expect, it, vi } from 'vitest';
import { WorkerError } from '../../src/errors.js';
import { Lane } from '../../src/http/lane.js';

const NEVER = Number.POSITIVE_INFINITY;

afterEach(() => void vi.useRealTimers());

/** Enters a lane by a name, and writes down who begins and who gives up. */
function visitors(lane: Lane) {
  const log: string[] = [];
  const leave = new Map<string, () => void>();
  const enter = async (name: string, longestMs = NEVER, signal = new AbortController().signal) => {
    try {
      leave.set(name, await lane.enter(signal, longestMs));
      log.push(name);
    } catch (error) {
      log.push(`${name} ${error instanceof WorkerError ? error.code : String(error)}`);
    }
  };
  return { log, enter, leave: (name: string) => leave.get(name)?.() };
}

/** Lets everything that is settled be heard of. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

describe('a lane', () => {
  it('lets as many work as there is room for, and the others in the order in which they came', async () => {
    const lane = new Lane(2);
    const { log, enter, leave } = visitors(lane);
    for (const name of ['a', 'b', 'c', 'd', 'e']) void enter(name);
    await settled();
    expect([log, lane.waiting]).toEqual([['a', 'b'], 3]);
    leave('b');
    await settled();
    expect([log, lane.waiting]).toEqual([['a', 'b', 'c'], 2]);
    leave('a');
    leave('c');
    await settled();
    expect([log, lane.waiting]).toEqual([['a', 'b', 'c', 'd', 'e'], 0]);
  });

  it('lets in at once whom it has room for', () => {
    expect(new Lane(1).enter(new AbortController().signal, NEVER)).toBeTypeOf('function');
  });

  it('gives a place back once, however often it is left', async () => {
    const { log, enter, leave } = visitors(new Lane(1));
    for (const name of ['a', 'b', 'c']) void enter(name);
    await settled();
    leave('a');
    leave('a');
    await settled();
    expect(log).toEqual(['a', 'b']);
  });

  it('without a limit lets nobody wait', async () => {
    const lane = new Lane(NEVER);
    const { log, enter } = visitors(lane);
    for (let index = 0; index < 1_000; index++) void enter(String(index));
    await settled();
    expect([log.length, lane.waiting]).toEqual([1_000, 0]);
  });

  it('forgets who gives up: nobody waits behind them', async () => {
    const lane = new Lane(1);
    const { log, enter, leave } = visitors(lane);
    const leaving = new AbortController();
    void enter('a');
    void enter('b', NEVER, leaving.signal);
    void enter('c');
    leaving.abort('has left');
    await settled();
    expect([log, lane.waiting]).toEqual([['a', 'b has left'], 1]);
    leave('a');
    await settled();
    expect(log).toEqual(['a', 'b has left', 'c']);
  });

  it('takes nobody who has given up before, and keeps no place for them', async () => {
    const { log, enter } = visitors(new Lane(1));
    await enter('a', NEVER, AbortSignal.abort('has left'));
    await enter('b');
    expect(log).toEqual(['a has left', 'b']);
  });

  it('does not take a place back from who gives up at work', async () => {
    const lane = new Lane(1);
    const { log, enter, leave } = visitors(lane);
    const leaving = new AbortController();
    void enter('a');
    void enter('b', NEVER, leaving.signal);
    void enter('c');
    await settled();
    leave('a');
    await settled();
    leaving.abort('has left');
    await settled();
    expect([log, lane.waiting]).toEqual([['a', 'b'], 1]);
    leave('b');
    await settled();
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it.each([
    [250, '1'],
    [30_000, '30'],
    [30_001, '31'],
    [86_400_000, '3600'],
  ])('lets nobody wait longer than %i ms, and says to stay away for %s s', async (longestMs, retryAfter) => {
    vi.useFakeTimers();
    const lane = new Lane(1);
    const leave = await lane.enter(new AbortController().signal, longestMs);
    const late = Promise.resolve(lane.enter(new AbortController().signal, longestMs)).catch((error) => error);
    vi.advanceTimersByTime(longestMs - 1);
    await settled();
    expect(lane.waiting).toBe(1);
    vi.advanceTimersByTime(1);
    const error = await late;
    expect(error).toBeInstanceOf(WorkerError);
    expect(error).toMatchObject({
      code: 'queue_time_exceeded',
      status: 429,
      message: `The request has waited for ${longestMs} ms.`,
      headers: { 'Retry-After': retryAfter },
    });
    expect([lane.waiting, vi.getTimerCount()]).toEqual([0, 0]);
    leave();
    expect(await lane.enter(new AbortController().signal, longestMs)).toBeTypeOf('function');
  });

  it('leaves neither timers nor listeners, however the wait ends', async () => {
    vi.useFakeTimers();
    const lane = new Lane(1);
    const { enter, leave } = visitors(lane);
    const [begins, leaves] = [new AbortController(), new AbortController()];
    const removed = vi.spyOn(begins.signal, 'removeEventListener');
    void enter('a', 1_000);
    void enter('b', 1_000, begins.signal);
    void enter('c', 1_000, leaves.signal);
    leaves.abort('has left');
    await settled();
    leave('a');
    await settled();
    expect(vi.getTimerCount()).toBe(0);
    expect(removed).toHaveBeenCalledOnce();
  });
});
