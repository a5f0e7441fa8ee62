import { expect, it } from 'vitest';
import { startBeforeModel } from '../support/faults-model.js';
import { endsWith, entered, got, readiness, refusal } from '../support/faults-outcomes.js';

it.each([
  {
    pace: 'as fast as it can',
    tokensPerSecond: undefined,
    told: [500, 'model_failed'],
    why: 'Headers Overflow Error',
  },
  {
    pace: 'one at a time',
    tokensPerSecond: 20,
    told: [504, 'model_timeout'],
    why: 'no answer within 500 ms',
  },
])(
  'headers without end, $pace: clients are told, the memory of the worker does not grow, and the model comes back',
  async ({ tokensPerSecond, told, why }) => {
    const { autoscaler, model, worker, ask } = await startBeforeModel({
      env: {
        TSWORKER_FIRST_BYTE_TIMEOUT: '1s',
        TSWORKER_HEALTH_TIMEOUT: '500ms',
        TSWORKER_HEALTH_STRIKES: '4',
      },
    });
    await worker.reaches('serving');
    expect((await got(ask())).status).toBe(200);
    const before = worker.program.resources();
    model.behave({ endlessHeaders: true, tokensPerSecond });
    const first = refusal(ask());
    await model.untilRequest(2);
    expect(await first).toEqual(told);
    const failing = await worker.reaches('failing');
    expect(failing.reason).toBe(`the model server is not well: ${why}`);
    expect(await readiness(worker)).toEqual([503, 'failing', expect.stringContaining(why)]);
    expect(await refusal(ask())).toEqual([503, 'not_accepting']);
    expect((await autoscaler.untilStatus(({ error_msg }) => error_msg !== '')).error_msg).toBe(
      failing.reason,
    );
    model.behave({ endlessHeaders: false, tokensPerSecond: undefined });
    await worker.reaches('serving', failing);
    expect((await got(ask())).status).toBe(200);
    expect((await autoscaler.nextStatus()).error_msg).toBe('');
    // What it was sent without end it has not kept.
    const after = worker.program.resources();
    expect(after.rssMib - before.rssMib).toBeLessThan(48);
    expect(after.sockets - before.sockets).toBeLessThanOrEqual(2);
    expect(entered(worker)).toEqual(['loading', 'loaded', 'serving', 'failing', 'loaded', 'serving']);
    await endsWith({ worker, autoscaler }, { succeeded: 2, errored: 1, rejected: 1 });
  },
);
