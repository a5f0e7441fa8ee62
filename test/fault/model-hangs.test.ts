import { expect, it } from 'vitest';
import { startWithEngine } from '../support/faults-engine.js';
import { startBeforeModel } from '../support/faults-model.js';
import { endsWith, entered, got, readiness, refusal } from '../support/faults-outcomes.js';

const NOTHING_SENT =
  /^the model server has sent nothing for \d+ s although requests wait for it \(TSWORKER_STALL_TIMEOUT\)/;

it('a model whose health answers 200 but that hangs on every request: it is told, and taken back when it answers', async () => {
  const { autoscaler, model, worker, ask } = await startBeforeModel({
    model: { behaviour: { pauseAfterTokens: 0 } },
    env: { TSWORKER_STALL_TIMEOUT: '2s' },
  });
  await worker.reaches('serving');
  const answers = [got(ask()), got(ask())];
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
  expect(await refusal(ask())).toEqual([503, 'not_accepting']);
  expect(await readiness(worker)).toEqual([503, 'failing', expect.stringMatching(NOTHING_SENT)]);

  model.behave({ pauseAfterTokens: undefined });
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
  await worker.reaches('serving', failing);
  expect(entered(worker)).toEqual(['loading', 'loaded', 'serving', 'failing', 'loaded', 'serving']);
  expect((await got(ask())).status).toBe(200);
  expect((await autoscaler.nextStatus()).error_msg).toBe('');
  await endsWith({ worker, autoscaler }, { succeeded: 3, rejected: 1 });
});

it('a model that hangs, its health route as well: it has failed by its silence, without waiting for each strike', async () => {
  const { autoscaler, model, worker, ask } = await startBeforeModel({
    env: {
      TSWORKER_STALL_TIMEOUT: '300ms',
      TSWORKER_HEALTH_TIMEOUT: '100ms',
      TSWORKER_HEALTH_STRIKES: '100000',
    },
  });
  await worker.reaches('serving');
  model.behave({ hang: true });
  const lost = refusal(ask());
  const failing = await worker.reaches('failing');
  expect(failing.reason).toMatch(NOTHING_SENT);
  expect(failing.reason).toContain('no answer within 100 ms');
  // The request that it has lost must not keep all others out for ever.
  model.behave({ hang: false });
  await worker.reaches('serving', failing);
  expect((await got(ask())).status).toBe(200);
  await model.close();
  expect(await lost).toEqual([500, 'model_failed']);
  await endsWith({ worker, autoscaler }, { succeeded: 1, errored: 1 });
});

it('a model that hangs and that the worker runs: it is ended, what it held is lost, and the next one serves', async () => {
  const { autoscaler, worker, ask, behave, pids } = await startWithEngine({
    env: { TSWORKER_HEALTH_TIMEOUT: '100ms', TSWORKER_HEALTH_STRIKES: '3' },
  });
  await worker.reaches('serving');
  await behave({ hang: true });
  const lost = refusal(ask());
  const failing = await worker.reaches('failing');
  expect(failing.reason).toContain('the model server is not well: no answer within 100 ms');
  expect(await lost).toEqual([500, 'model_failed']);
  const { error_msg } = await autoscaler.untilStatus((status) => status.error_msg !== '');
  expect(error_msg.split('\n')[0]).toBe(failing.reason);
  await worker.reaches('serving', failing);
  expect((await got(ask())).status).toBe(200);
  expect((await autoscaler.nextStatus()).error_msg).toBe('');
  expect(pids()).toHaveLength(2);
  await endsWith({ worker, autoscaler, pids: pids() }, { succeeded: 1, errored: 1 });
});
