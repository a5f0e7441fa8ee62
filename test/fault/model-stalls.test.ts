import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { startBeforeModel } from '../support/faults-model.js';

const NOTHING_SENT =
  /^the model server has sent nothing for \d+ s although requests wait for it \(TSWORKER_STALL_TIMEOUT\)/;

it('a model whose health answers 200 but that hangs on every request: it is told, and taken back when it answers', async () => {
  const { autoscaler, model, worker, ask, entered } = await startBeforeModel({
    model: { behaviour: { pauseAfterTokens: 0 } },
    env: { TSWORKER_STALL_TIMEOUT: '2s' },
  });
  await worker.reaches('serving');
  const answers = [ask(), ask()];
  await model.untilRequest(2);
  const failing = await worker.reaches('failing');
  expect(failing.reason).toMatch(NOTHING_SENT);
  expect(worker.told('model.stalled')).toMatchObject([
    { level: 40, msg: expect.stringContaining('sent nothing') },
  ]);
  const { error_msg, num_requests_working } = await autoscaler.untilStatus(
    (status) => status.error_msg !== '',
  );
  expect([error_msg, num_requests_working]).toEqual([failing.reason, 2]);
  expect((await ask()).statusCode).toBe(503);

  model.behave({ pauseAfterTokens: undefined });
  expect((await Promise.all(answers)).map(({ statusCode }) => statusCode)).toEqual([200, 200]);
  await worker.reaches('serving', failing);
  expect(entered()).toEqual(['loading', 'loaded', 'serving', 'failing', 'loaded', 'serving']);
  expect((await ask()).statusCode).toBe(200);
  expect((await autoscaler.nextStatus()).error_msg).toBe('');
});

it('a model that hangs, its health route as well: it has failed by its silence, without waiting for each strike', async () => {
  const { model, worker, ask } = await startBeforeModel({
    env: {
      TSWORKER_STALL_TIMEOUT: '300ms',
      TSWORKER_HEALTH_TIMEOUT: '100ms',
      TSWORKER_HEALTH_STRIKES: '100000',
    },
  });
  await worker.reaches('serving');
  model.behave({ hang: true });
  const lost = ask();
  const failing = await worker.reaches('failing');
  expect(failing.reason).toMatch(NOTHING_SENT);
  expect(failing.reason).toContain('no answer within 100 ms');
  // The request that it has lost must not keep all others out for ever.
  model.behave({ hang: false });
  await worker.reaches('serving', failing);
  expect((await ask()).statusCode).toBe(200);
  await model.close();
  expect((await lost).statusCode).toBe(500);
});

it('a request that gets no byte in time: 504 for its client, and the worker goes on', async () => {
  const { autoscaler, model, worker, ask, entered } = await startBeforeModel({
    model: { behaviour: { pauseAfterTokens: 0 } },
    env: { TSWORKER_FIRST_BYTE_TIMEOUT: '200ms', TSWORKER_STALL_TIMEOUT: 'none' },
  });
  await worker.reaches('serving');
  const answer = await ask();
  expect([answer.statusCode, JSON.parse(await text(answer))]).toEqual([
    504,
    expect.objectContaining({ error: 'model_timeout' }),
  ]);
  await model.untilAborted();
  expect((await autoscaler.untilFinished(1)).status).toBe('Error');
  model.behave({ pauseAfterTokens: undefined });
  expect((await ask()).statusCode).toBe(200);
  expect(entered()).toEqual(['loading', 'loaded', 'serving']);
});

it('a stream that stands still is cut in time', async () => {
  const { model, worker, ask } = await startBeforeModel({
    model: { behaviour: { pauseAfterTokens: 2 } },
    env: { TSWORKER_BETWEEN_BYTES_TIMEOUT: '300ms', TSWORKER_STALL_TIMEOUT: 'none' },
  });
  await worker.reaches('serving');
  const answer = await ask({ stream: true });
  await expect(text(answer)).rejects.toThrow();
  await model.untilAborted();
});

it('a stream that never ends is cut when its time is over', async () => {
  const { worker, ask } = await startBeforeModel({
    model: { behaviour: { tokensPerSecond: 50, tokens: 1_000_000 } },
    env: { TSWORKER_TOTAL_TIMEOUT: '500ms' },
  });
  await worker.reaches('serving');
  await expect(text(await ask({ stream: true }))).rejects.toThrow();
});
