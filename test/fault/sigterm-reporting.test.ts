import { expect, it } from 'vitest';
import { Scribe, sumsOf } from '../conformance/scribe.js';
import { anInstance, Crowd } from '../support/faults-journal.js';
import { WorkerProcess } from '../support/process.js';

it('SIGTERM while a report and finished requests are on their way: their answers are read, and nothing is told twice', async () => {
  const { autoscaler, start } = await anInstance();
  const worker = await start();
  const crowd = new Crowd(worker);
  autoscaler.misdeed = ({ body }) => (isOfWork(body) ? 'late' : undefined);
  const answers = Array.from({ length: 10 }, () => crowd.ask());
  expect(await Promise.all(answers)).toEqual(answers.map(() => true));
  await autoscaler.until(
    () => autoscaler.statuses.some(isOfWork) && autoscaler.bodiesAt('/delete_requests/').length > 0,
  );
  autoscaler.misdeed = () => undefined;
  worker.kill('SIGTERM');
  await worker.reaches('draining');
  autoscaler.releaseHeldBack();
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: 10, rej_load: 0, cur_perf: 10 });
  const told = autoscaler.finished.map(({ request_idx }) => request_idx);
  expect(told.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(worker.log.filter(({ event }) => event?.startsWith('left.'))).toEqual([]);
});

it('SIGTERM while a beacon waits for an answer that never comes: it ends at once, with the code of its error', async () => {
  const autoscaler = await Scribe.start();
  autoscaler.misdeed = () => 'hang';
  const worker = new WorkerProcess({
    reportTo: autoscaler.url,
    env: { TSWORKER_BODY_LIMIT: 'much', TSWORKER_DIALECT: 'current', PUBLIC_IPADDR: '127.0.0.1' },
  });
  await autoscaler.until(() => autoscaler.messages.length > 0);
  const atMs = performance.now();
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 2, signal: null });
  // A report that is not answered is given up only after ten seconds.
  expect(performance.now() - atMs).toBeLessThan(8_000);
  expect(autoscaler.messages.map(({ body }) => Object(body).error_msg)).toEqual([
    expect.stringContaining('TSWORKER_BODY_LIMIT'),
  ]);
});

/** A status with work in it, or finished requests. */
function isOfWork(body: unknown): boolean {
  const { new_load = 0, requests = [] } = Object(body);
  return new_load > 0 || requests.length > 0;
}
