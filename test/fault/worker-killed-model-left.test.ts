import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Scribe } from '../conformance/scribe.js';
import { freePorts } from '../support/free-ports.js';
import { startWorker } from '../support/process.js';
import { modelToRun } from '../support/supervisor/model.js';
import { lives, runFiles } from '../support/supervisor/supervised.js';
import { temporaryFolder } from '../support/worker-program.js';

async function machine() {
  const scratch = temporaryFolder();
  const log = join(scratch, 'model.log');
  const state = join(scratch, 'state');
  const model = await modelToRun(log);
  const autoscaler = await Scribe.start();
  const [port = 0] = await freePorts(1);
  const start = () =>
    startWorker({
      backend: 'test/fault/backends/supervised.ts',
      reportTo: autoscaler.url,
      env: {
        WORKER_PORT: String(port),
        [`VAST_TCP_PORT_${port}`]: String(port),
        PUBLIC_IPADDR: '127.0.0.1',
        MODEL_SERVER_URL: model.url,
        MODEL_LOG: log,
        TSWORKER_READINESS: 'health',
        TSWORKER_MAX_PERF: '10',
        TSWORKER_MODEL_COMMAND: `exec ${model.command.join(' ')}`,
        TSWORKER_STATE_DIR: state,
      },
    });
  return { state, port, model, start };
}

it('a worker that is killed with SIGKILL leaves its model, which its next start ends before it starts another', async () => {
  const { state, port, model, start } = await machine();
  const killed = await start();
  await killed.reaches('serving');
  const [left = 0] = model.pids();
  killed.kill('SIGKILL');
  await killed.exited;
  expect([await lives(left), runFiles(state)]).toEqual([true, [`model-7-${port}.json`]]);

  const next = await start();
  await next.reaches('serving');
  expect(next.told('model.orphaned').map(({ orphan }) => orphan)).toEqual([`process ${left}`]);
  const [, second = 0] = model.pids();
  expect([await lives(left), await lives(second)]).toEqual([false, true]);
  // The first was still there and well when the second worker began, and was not taken for its model.
  expect(next.told('state.entered').map(({ state: entered }) => entered)).toEqual([
    'loading',
    'loaded',
    'serving',
  ]);
  expect(next.told('model.died')).toEqual([]);

  next.kill('SIGTERM');
  expect(await next.exited).toEqual({ code: 0, signal: null });
  expect([await lives(second), model.lines().at(-1), runFiles(state)]).toEqual([false, 'asked to end', []]);
});

it('a second SIGTERM ends the worker at once, and its model with it', async () => {
  const { model, start } = await machine();
  const worker = await start();
  await worker.reaches('serving');
  const [pid = 0] = model.pids();
  process.kill(pid, 'SIGSTOP');
  worker.kill('SIGTERM');
  await worker.logged(({ event }) => event === 'model.ending');
  // One that comes right after the first is taken for the same.
  const exits = () => {
    worker.kill('SIGTERM');
    return worker.program.hasExited;
  };
  await expect.poll(exits).toBe(true);
  await expect.poll(() => lives(pid)).toBe(false);
});
