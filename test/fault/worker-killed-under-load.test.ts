import { expect, it } from 'vitest';
import { sumsOf } from '../conformance/scribe.js';
import { anInstance, before, Crowd, since } from '../support/faults-journal.js';

/** What a crash may cost. */
const HELD_MS = 500;

/** The index of who is first of all. */
const FIRST = 1;

/** One who comes after the crash, with an index that nobody had. */
const LATE = 1_000_000;

it('a worker that is killed while the autoscaler is away: its next life tells what it owed, once', async () => {
  const { autoscaler, start } = await anInstance();
  const first = await start();
  const crowd = new Crowd(first);
  // The others may all be between two requests when the journal is written; this one is in the worker all the time.
  const gone = Promise.all([crowd.stay(), crowd.come()]);
  await crowd.untilAnswered(200);
  await autoscaler.until(() => autoscaler.finished.length >= 100);
  autoscaler.misdeed = () => 503;
  const awaySinceMs = performance.now();
  await crowd.untilAnswered(300, awaySinceMs + 2 * HELD_MS);
  first.kill('SIGKILL');
  const killedAtMs = performance.now();
  await gone;
  const known = autoscaler.statuses.at(-1)?.num_requests_recieved ?? 0;
  autoscaler.misdeed = () => undefined;

  const second = await start();
  const died = Number(second.told('journal.died')[0]?.died ?? 0);
  expect(await new Crowd(second, LATE).ask()).toBe(true);
  second.kill('SIGTERM');
  expect(await second.exited).toEqual({ code: 0, signal: null });

  const { num_requests_recieved: recieved = 0 } = autoscaler.statuses.at(-1) ?? {};
  const kept = before(crowd.answeredAtMs, killedAtMs - HELD_MS);
  expect(recieved).toBeGreaterThan(known);
  expect(recieved).toBeGreaterThanOrEqual(kept.length + 1);
  expect(recieved).toBeLessThanOrEqual(crowd.sentAtMs.size + 1);
  // Of what was kept each unit is told once, over both lives, and as finished once.
  const { new_load, cur_perf } = sumsOf(autoscaler.statuses);
  const told = autoscaler.finished;
  const succeeded = told.filter(({ status }) => status === 'Success');
  expect({ new_load, cur_perf, finished: told.length }).toEqual({
    new_load: recieved,
    cur_perf: succeeded.length,
    finished: recieved,
  });
  expect(new Set(told.map(({ request_idx }) => request_idx)).size).toBe(told.length);
  const names = new Set(succeeded.map(({ request_idx }) => request_idx));
  expect(kept.filter((idx) => !names.has(idx))).toEqual([]);
  // What was in the worker died with it.
  const errors = told.filter(({ status }) => status === 'Error').map(({ request_idx }) => request_idx);
  expect(errors).toHaveLength(died);
  expect(errors).toContain(FIRST);
});

it('a worker that is killed while it reports: what is lost or told again is of the last half second', async () => {
  const { autoscaler, start } = await anInstance();
  const tellings = new Map<number, number[]>();
  autoscaler.misdeed = ({ body }) => {
    const { requests = [] } = Object(body) as { requests?: readonly { request_idx: number }[] };
    for (const { request_idx: idx } of requests) {
      tellings.set(idx, [...(tellings.get(idx) ?? []), performance.now()]);
    }
    return undefined;
  };
  const first = await start();
  const crowd = new Crowd(first);
  const gone = crowd.come();
  await crowd.untilAnswered(200);
  await crowd.untilAnswered(400, performance.now() + HELD_MS);
  first.kill('SIGKILL');
  const killedAtMs = performance.now();
  await gone;
  const second = await start();
  second.kill('SIGTERM');
  expect(await second.exited).toEqual({ code: 0, signal: null });

  const inDoubt = since(crowd.sentAtMs, killedAtMs - HELD_MS).length;
  const { num_requests_recieved: recieved = 0 } = autoscaler.statuses.at(-1) ?? {};
  expect(recieved).toBeGreaterThanOrEqual(before(crowd.answeredAtMs, killedAtMs - HELD_MS).length);
  expect(recieved).toBeLessThanOrEqual(crowd.sentAtMs.size);
  const { new_load } = sumsOf(autoscaler.statuses);
  expect(Math.abs(new_load - crowd.sentAtMs.size)).toBeLessThanOrEqual(inDoubt);
  // None that had ended before the last half second is missing, and none that was told before is told again.
  const missing = [...crowd.answeredAtMs].filter(([idx]) => !tellings.has(idx));
  expect(missing.filter(([, atMs]) => atMs < killedAtMs - HELD_MS)).toEqual([]);
  const again = [...tellings].filter(([, times]) => times.length > 1);
  expect(again.filter(([, [atMs = 0]]) => atMs < killedAtMs - HELD_MS)).toEqual([]);
});
