import { expect, it } from 'vitest';
import { startWithEngine } from '../support/faults-engine.js';
import { endsWith, entered, got, readiness, refusal } from '../support/faults-outcomes.js';

/** Dies twice before it becomes a model: each life leaves one more line. */
const TWICE = 'echo x >> lives; if [ $(wc -l < lives) -le 2 ]; then echo no GPU yet; exit 7; fi;';

it('a model that crashes twice as it starts: it is started again, the failures are told, and it serves', async () => {
  const { autoscaler, worker, ask, pids } = await startWithEngine({
    before: TWICE,
    // Long enough that somebody can ask in between.
    env: { TSWORKER_MODEL_MAX_BACKOFF: '1s' },
  });
  const failing = await worker.reaches('failing');
  expect(await refusal(ask())).toEqual([503, 'not_accepting']);
  expect(failing.reason).toBe('the model server has died (1 of 5): exit code 7');
  await worker.reaches('serving', failing);
  expect((await readiness(worker)).slice(0, 2)).toEqual([200, 'serving']);
  expect((await got(ask())).status).toBe(200);
  expect(worker.told('model.died').map(({ reason, crashes }) => [reason, crashes])).toEqual([
    ['exit code 7', 1],
    ['exit code 7', 2],
  ]);
  expect(worker.told('model.started').map(({ restarts }) => restarts)).toEqual([0, 1, 2]);
  expect(entered(worker)).toEqual([
    ...['loading', 'failing', 'loading', 'failing'],
    ...['loading', 'loaded', 'serving'],
  ]);
  const errors = new Set(
    autoscaler.statuses.map(({ error_msg }) => error_msg).filter((error) => error !== ''),
  );
  expect([...errors]).toContain(
    'the model server has died (1 of 5): exit code 7\nits last lines:\nno GPU yet',
  );
  expect((await autoscaler.nextStatus()).error_msg).toBe('');
  await endsWith({ worker, autoscaler, pids: pids() }, { succeeded: 1, rejected: 1 });
});
