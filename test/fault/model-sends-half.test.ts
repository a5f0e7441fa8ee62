import { expect, it } from 'vitest';
import { startBeforeModel } from '../support/faults-model.js';
import { endsWith, entered, got, readiness } from '../support/faults-outcomes.js';

it('half a body, streamed or not: the client sees that it is cut, nothing counts as served, and the worker serves on', async () => {
  const { autoscaler, model, worker, ask } = await startBeforeModel({
    model: { behaviour: { halfBody: true } },
  });
  await worker.reaches('serving');
  const whole = await got(ask());
  expect(whole).toEqual({ status: 200, body: expect.stringMatching(/^{"id":"cmpl-1"/), whole: false });
  expect(() => JSON.parse(whole.body)).toThrow();
  const streamed = await got(ask({ stream: true }));
  expect(streamed).toEqual({ status: 200, body: expect.stringMatching(/tok0.* tok1/s), whole: false });
  expect(streamed.body).not.toContain('tok2');
  expect(await readiness(worker)).toEqual([200, 'serving', expect.any(String)]);
  const failures = worker.log.filter(({ level }) => level >= 40).map(({ event, msg }) => [event, msg]);
  expect(failures).toEqual([['request.refused', expect.stringContaining('the model server failed')]]);
  model.behave({ halfBody: false });
  expect(await got(ask({ stream: true }))).toMatchObject({ status: 200, whole: true });
  expect(entered(worker)).toEqual(['loading', 'loaded', 'serving']);
  await endsWith({ worker, autoscaler }, { succeeded: 1, errored: 2 });
});
