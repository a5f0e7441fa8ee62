import { expect, it } from 'vitest';
import { startBeforeModel } from '../support/faults-model.js';
import { endsWith, entered, got, readiness, refusal } from '../support/faults-outcomes.js';

it('bytes that are no HTTP from the start: the load waits and says why, until they are', async () => {
  const { autoscaler, model, worker, ask } = await startBeforeModel({
    model: { behaviour: { garbage: true } },
  });
  await model.untilHealthCheck(2);
  const [status, state, reason] = await readiness(worker);
  expect([status, state]).toEqual([503, 'loading']);
  expect(reason).toMatch(/^it waits for a 200 of http.*: Response does not match the HTTP\/1.1 protocol/);
  expect(await refusal(ask())).toEqual([503, 'not_accepting']);
  expect(autoscaler.statuses.map(({ error_msg }) => error_msg).filter((error) => error !== '')).toEqual([]);
  model.behave({ garbage: false });
  await worker.reaches('serving');
  expect((await got(ask())).status).toBe(200);
  expect(entered(worker)).toEqual(['loading', 'loaded', 'serving']);
  await endsWith({ worker, autoscaler }, { succeeded: 1, rejected: 1 });
});

it('bytes that are no HTTP in the place of answers, and within one: clients are told, the model has failed, and comes back', async () => {
  const { autoscaler, model, worker, ask } = await startBeforeModel({
    env: { TSWORKER_HEALTH_STRIKES: '2' },
  });
  await worker.reaches('serving');
  model.behave({ garbageAfterTokens: 2 });
  const { status, body, whole } = await got(ask({ stream: true }));
  expect([status, body, whole]).toEqual([200, expect.stringMatching(/tok0.* tok1/s), false]);
  expect(body).not.toContain('no HTTP');
  expect(await readiness(worker)).toEqual([200, 'serving', expect.any(String)]);

  model.behave({ garbage: true, garbageAfterTokens: undefined });
  // The health route may have been heard before it gets in.
  const [refused, error] = await refusal(ask());
  expect([
    [500, 'model_failed'],
    [503, 'not_accepting'],
  ]).toContainEqual([refused, error]);
  const failing = await worker.reaches('failing');
  expect(failing.reason).toMatch(
    /^the model server is not well: Response does not match the HTTP\/1.1 protocol/,
  );
  expect(await readiness(worker)).toEqual([503, 'failing', expect.stringContaining(String(failing.reason))]);
  expect(await refusal(ask())).toEqual([503, 'not_accepting']);
  expect((await autoscaler.untilStatus(({ error_msg }) => error_msg !== '')).error_msg).toBe(failing.reason);
  model.behave({ garbage: false });
  await worker.reaches('serving', failing);
  expect((await got(ask())).status).toBe(200);
  expect((await autoscaler.nextStatus()).error_msg).toBe('');
  const errored = refused === 500 ? 2 : 1;
  await endsWith({ worker, autoscaler }, { succeeded: 1, errored, rejected: 3 - errored });
});
