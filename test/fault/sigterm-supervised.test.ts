import { expect, it } from 'vitest';
import { startSupervised } from '../support/faults-supervised.js';
import { lives } from '../support/supervisor/supervised.js';

type Started = Awaited<ReturnType<typeof startSupervised>>;

interface Case {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
  /** Resolves when the worker has come so far. */
  readonly comes: (started: Started) => Promise<unknown>;
  readonly state: string;
  /** What the autoscaler was told last of why it has failed. */
  readonly error: RegExp;
}

const FOR_EVER_MS = '600000';

const CASES: readonly Case[] = [
  {
    name: 'its model server loads',
    env: { LOAD_MS: FOR_EVER_MS },
    comes: ({ model }) => expect.poll(() => model.pids(), { timeout: 15_000 }).toHaveLength(1),
    state: 'loading',
    error: /^$/,
  },
  {
    name: 'it serves',
    env: {},
    comes: ({ worker }) => worker.reaches('serving'),
    state: 'serving',
    error: /^$/,
  },
  {
    name: 'its model server has died, and is not started again yet',
    env: { TSWORKER_MODEL_COMMAND: 'echo no such model; exit 1', TSWORKER_MODEL_MAX_BACKOFF: '1h' },
    comes: async ({ worker, autoscaler }) => {
      await worker.logged(({ event }) => event === 'model.died');
      await autoscaler.untilStatus(({ error_msg }) => error_msg !== '');
    },
    state: 'failing',
    error: /^the model server has died \(1 of 5\): exit code 1/,
  },
  {
    name: 'its model server is not well',
    env: { TSWORKER_HEALTH_INTERVAL: '50ms' },
    comes: async ({ worker, model, autoscaler }) => {
      await worker.reaches('serving');
      process.kill(model.pids()[0] ?? 0, 'SIGSTOP');
      await worker.reaches('failing');
      await autoscaler.untilStatus(({ error_msg }) => error_msg !== '');
    },
    state: 'failing',
    error: /^the model server is not well/,
  },
];

it.each(CASES)(
  'SIGTERM while $name: all is told, and no process is left',
  async ({ env, comes, state, error }) => {
    const started = await startSupervised({
      TSWORKER_MODEL_GRACE: '500ms',
      TSWORKER_HEALTH_TIMEOUT: '100ms',
      ...env,
    });
    const { worker, model, autoscaler } = started;
    await comes(started);
    expect((await worker.status()).state).toBe(state);
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    const left = await Promise.all(model.pids().map(lives));
    expect(left.filter((is) => is)).toEqual([]);
    expect(autoscaler.statuses.at(-1)?.error_msg).toMatch(error);
    expect(
      worker
        .told('state.entered')
        .map((entered) => entered.state)
        .slice(-3),
    ).toEqual([...[state, 'draining', 'stopped']]);
    expect(worker.log.filter(({ event }) => event?.startsWith('left.'))).toEqual([]);
  },
);

it('SIGTERM while it drains already, with a request under way: it goes on draining, and its model server answers', async () => {
  const { worker, model, autoscaler, ask } = await startSupervised();
  await worker.reaches('serving');
  await model.tell('hold');
  const answer = ask();
  await expect.poll(() => model.lines(), { timeout: 15_000 }).toContain('held');
  worker.kill('SIGTERM');
  await worker.reaches('draining');
  worker.kill('SIGTERM');
  expect((await worker.status()).state).toBe('draining');
  await model.tell('release');
  expect((await answer).statusCode).toBe(200);
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(await Promise.all(model.pids().map(lives))).toEqual([false]);
  expect(autoscaler.finished.map(({ status }) => status)).toEqual(['Success']);
});
