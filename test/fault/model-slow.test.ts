import { expect, it } from 'vitest';
import { startBeforeModel } from '../support/faults-model.js';
import { endsWith, entered, got, readiness, refusal } from '../support/faults-outcomes.js';

const SERVES = ['loading', 'loaded', 'serving'];

it('a request that gets no byte in time: 504 for its client, and the worker goes on', async () => {
  const { autoscaler, model, worker, ask } = await startBeforeModel({
    model: { behaviour: { pauseAfterTokens: 0 } },
    env: { TSWORKER_FIRST_BYTE_TIMEOUT: '200ms', TSWORKER_STALL_TIMEOUT: 'none' },
  });
  await worker.reaches('serving');
  expect(await refusal(ask())).toEqual([504, 'model_timeout']);
  await model.untilAborted();
  expect((await autoscaler.untilFinished(1)).status).toBe('Error');
  model.behave({ pauseAfterTokens: undefined });
  expect((await got(ask())).status).toBe(200);
  expect(entered(worker)).toEqual(SERVES);
  await endsWith({ worker, autoscaler }, { succeeded: 1, errored: 1 });
});

it('a stream that stands still is cut in time', async () => {
  const { autoscaler, model, worker, ask } = await startBeforeModel({
    model: { behaviour: { pauseAfterTokens: 2 } },
    env: { TSWORKER_BETWEEN_BYTES_TIMEOUT: '300ms', TSWORKER_STALL_TIMEOUT: 'none' },
  });
  await worker.reaches('serving');
  const { status, body, whole } = await got(ask({ stream: true }));
  expect([status, body, whole]).toEqual([200, expect.stringMatching(/tok0.* tok1/s), false]);
  await model.untilAborted();
  expect(entered(worker)).toEqual(SERVES);
  await endsWith({ worker, autoscaler }, { errored: 1 });
});

it('a stream that never ends is cut when its time is over', async () => {
  const { autoscaler, model, worker, ask } = await startBeforeModel({
    model: { behaviour: { tokensPerSecond: 50, tokens: 1_000_000 } },
    env: { TSWORKER_TOTAL_TIMEOUT: '500ms' },
  });
  await worker.reaches('serving');
  expect(await got(ask({ stream: true }))).toMatchObject({ status: 200, whole: false });
  await model.untilAborted();
  expect(entered(worker)).toEqual(SERVES);
  await endsWith({ worker, autoscaler }, { errored: 1 });
});

it('a health route that is too slow while answers flow: the model is busy, and nothing fails', async () => {
  const { autoscaler, model, worker, ask } = await startBeforeModel({
    model: { behaviour: { tokensPerSecond: 100 } },
    env: {
      TSWORKER_HEALTH_TIMEOUT: '100ms',
      TSWORKER_HEALTH_STRIKES: '2',
      TSWORKER_LOG_LEVEL: 'debug',
    },
  });
  await worker.reaches('serving');
  model.behave({ tokens: 1_000_000 });
  const streams = [got(ask({ stream: true })), got(ask({ stream: true }))];
  await (await model.untilRequest(2)).untilTokens(1);
  model.behave({ healthDelayMs: 60_000 });
  await model.untilHealthCheck(model.healthChecks.length + 6);
  expect(await readiness(worker)).toEqual([200, 'serving', expect.any(String)]);
  expect(entered(worker)).toEqual(SERVES);
  expect(worker.told('health.busy').length).toBeGreaterThan(0);
  model.behave({ healthDelayMs: undefined, tokens: 1 });
  await model.close();
  expect(await Promise.all(streams)).toMatchObject([{ whole: false }, { whole: false }]);
  await endsWith({ worker, autoscaler }, { errored: 2 });
});

it('a health route that is too slow while nothing is asked: the model has failed, and is taken back when it answers', async () => {
  const { autoscaler, model, worker, ask } = await startBeforeModel({
    env: { TSWORKER_HEALTH_TIMEOUT: '100ms', TSWORKER_HEALTH_STRIKES: '2' },
  });
  await worker.reaches('serving');
  model.behave({ healthDelayMs: 60_000 });
  const failing = await worker.reaches('failing');
  expect(failing.reason).toBe('the model server is not well: no answer within 100 ms');
  expect(await readiness(worker)).toEqual([503, 'failing', expect.stringContaining(String(failing.reason))]);
  expect(await refusal(ask())).toEqual([503, 'not_accepting']);
  expect((await autoscaler.untilStatus(({ error_msg }) => error_msg !== '')).error_msg).toBe(failing.reason);
  model.behave({ healthDelayMs: undefined });
  await worker.reaches('serving', failing);
  expect((await got(ask())).status).toBe(200);
  expect((await autoscaler.nextStatus()).error_msg).toBe('');
  await endsWith({ worker, autoscaler }, { succeeded: 1, rejected: 1 });
});
