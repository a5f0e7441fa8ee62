import { expect, it } from 'vitest';
import { startWithEngine } from '../support/faults-engine.js';
import { endsWith, readiness, refusal } from '../support/faults-outcomes.js';

const GIVEN_UP = 'the model server is not started again, since it has died 2 times in a row: exit code 1';
const TOLD = `${GIVEN_UP}\nits last lines:\nno such model`;

it('a model that crashes in a loop is given up with the reason, the beacon stays, and SIGTERM ends the worker', async () => {
  const { autoscaler, worker, ask } = await startWithEngine({
    before: 'echo no such model; exit 1;',
    env: { TSWORKER_MODEL_MAX_CRASHES: '2' },
  });
  await worker.logged(({ event }) => event === 'model.gaveUp');
  await autoscaler.untilStatus(({ error_msg }) => error_msg === TOLD);
  for (let reports = 0; reports < 5; reports++) {
    expect(await autoscaler.nextStatus()).toMatchObject({ error_msg: TOLD, loadtime: 0 });
  }
  expect(await refusal(ask())).toEqual([503, 'not_accepting']);
  const [status, state, reason] = await readiness(worker);
  expect([status, state]).toEqual([503, 'failing']);
  expect(reason).toContain(GIVEN_UP);
  expect(worker.told('model.started')).toHaveLength(2);
  const failed = worker.told('state.entered').filter((line) => line.state === 'failing');
  expect(failed.map((line) => line.reason)).toEqual([
    'the model server has died (1 of 2): exit code 1',
    'the model server has died (2 of 2): exit code 1',
    GIVEN_UP,
  ]);
  await endsWith({ worker, autoscaler }, { rejected: 1 });
});
