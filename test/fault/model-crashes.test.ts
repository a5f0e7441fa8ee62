import { expect, it } from 'vitest';
import { startSupervised } from '../support/faults-supervised.js';

const CUDA = 'CUDA error: an illegal memory access was encountered';

it('a model that crashes with a request under way: failing is told with its last lines, and the worker serves again', async () => {
  const { autoscaler, model, worker, ask } = await startSupervised();
  const first = await worker.reaches('serving');
  const { max_perf } = await autoscaler.untilStatus(({ loadtime }) => loadtime > 0);
  await model.tell('hold');
  const cut = ask();
  await expect.poll(() => model.lines()).toContain('held');
  await model.tell('die');
  expect((await cut).statusCode).toBe(500);
  const { error_msg } = await autoscaler.untilStatus((status) => status.error_msg !== '');
  const lines = error_msg.split('\n');
  expect([lines[0], lines[1], lines.at(-1)]).toEqual([
    'the model server has died (1 of 5): exit code 3',
    'its last lines:',
    CUDA,
  ]);
  await worker.reaches('serving', first);
  const told = autoscaler.statuses.slice(autoscaler.statuses.findIndex((status) => status.error_msg !== ''));
  const reloading = told.find((status) => status.error_msg === '');
  expect(reloading?.loadtime).toBe(0);
  const again = await autoscaler.untilStatus((status) => status.loadtime > 0 && status.error_msg === '');
  expect(again.max_perf).toBe(max_perf);
  expect(worker.told('state.entered').map(({ state }) => state)).toEqual([
    ...['loading', 'loaded', 'serving', 'failing'],
    ...['loading', 'loaded', 'serving'],
  ]);
  expect(worker.told('benchmark.reused')).toHaveLength(1);
  expect((await ask()).statusCode).toBe(200);
});

it('a model that crashes in a loop is given up with the reason, the beacon stays, and SIGTERM ends the worker', async () => {
  const { autoscaler, worker, ask } = await startSupervised({
    TSWORKER_MODEL_COMMAND: 'echo no such model; exit 1',
    TSWORKER_MODEL_MAX_CRASHES: '2',
  });
  await worker.logged(({ event }) => event === 'model.gaveUp');
  const isTold = ({ error_msg }: { error_msg: string }) =>
    error_msg ===
    'the model server is not started again, since it has died 2 times in a row: exit code 1\nits last lines:\nno such model';
  await autoscaler.untilStatus(isTold);
  for (let reports = 0; reports < 5; reports++) expect(await autoscaler.nextStatus()).toSatisfy(isTold);
  expect((await ask()).statusCode).toBe(503);
  expect(worker.told('model.started')).toHaveLength(2);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
});
