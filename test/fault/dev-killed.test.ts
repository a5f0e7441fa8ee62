import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { descendantsOf } from '../support/descendants.js';
import { FleetProcess } from '../support/fleet-process.js';
import { MAIN } from '../support/process.js';
import { MODEL } from '../support/supervisor/model.js';
import { lives } from '../support/supervisor/supervised.js';
import { temporaryFolder } from '../support/worker-program.js';

const PATIENCE = { timeout: 30_000, interval: 100 };

const INFO = 30;

/** Two workers, always. */
function startFleet(backend: string, env: Readonly<Record<string, string>> = {}): FleetProcess {
  return new FleetProcess({
    program: [process.execPath, MAIN],
    backend,
    options: ['--min-workers', '2', '--max-workers', '2', '--inactivity-timeout', 'never'],
    env: { TSWORKER_DIALECT: 'current', TSWORKER_STATE_DIR: join(temporaryFolder(), 'state'), ...env },
  });
}

/** Two workers that have loaded, each with a model server. */
async function startServing() {
  const fleet = startFleet('test/fault/backends/supervised.ts', {
    MODEL_LOG: join(temporaryFolder(), 'model.log'),
    TSWORKER_READINESS: 'health',
    TSWORKER_MAX_PERF: '10',
    TSWORKER_MODEL_COMMAND: `exec ${process.execPath} ${MODEL} $MODEL_PORT`,
  });
  await Promise.all([fleet.reaches(1, 'ready'), fleet.reaches(2, 'ready')]);
  return { fleet, processes: processesOf(fleet, 4) };
}

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
}

/** All that have come of it: these at least, and what loads TypeScript. They do not outlive the test. */
function processesOf(fleet: FleetProcess, atLeast: number): readonly number[] {
  const processes = fleet.processes();
  expect(processes.length).toBeGreaterThanOrEqual(atLeast);
  onTestFinished(async () => {
    for (const pid of await living(processes)) process.kill(pid, 'SIGKILL');
  });
  return processes;
}

async function living(processes: readonly number[]): Promise<number[]> {
  const alive = await Promise.all(processes.map(lives));
  return processes.filter((_, index) => alive[index]);
}

it('dev that is killed with SIGKILL leaves neither a worker nor a model server', async () => {
  const { fleet, processes } = await startServing();
  fleet.program.kill('SIGKILL');
  await fleet.program.exited;
  await expect.poll(() => living(processes), PATIENCE).toEqual([]);
});

it('a worker that is killed with SIGKILL leaves no model server', async () => {
  const { fleet } = await startServing();
  const [worker = 0] = fleet.processes().filter((pid) => commandOf(pid).includes('\0start\0'));
  const [model = 0] = descendantsOf(worker).filter((pid) => commandOf(pid).includes(MODEL));
  process.kill(worker, 'SIGKILL');
  await fleet.logged(({ event }) => event === 'fleet.modelKilled');
  expect(await lives(model)).toBe(false);
});

it('workers whose backend says how to run its model server have one each, on a port of its own', async () => {
  const fleet = startFleet('test/fault/backends/own-command.ts');
  await Promise.all([fleet.reaches(1, 'ready'), fleet.reaches(2, 'ready')]);
  const models = processesOf(fleet, 4)
    .map(commandOf)
    .filter((command) => command.includes(MODEL));
  expect(new Set(models).size).toBe(2);
  expect(fleet.log.filter(({ level, event }) => level > INFO && event !== 'fleet.decision')).toEqual([]);
});

it('dev that is killed leaves no worker whose backend still loads', async () => {
  const fleet = startFleet('test/fault/backends/never-loads.ts');
  for (const worker of [1, 2]) await fleet.logged(({ msg }) => msg === `worker ${worker}: waits`, 30_000);
  const processes = processesOf(fleet, 2);
  fleet.program.kill('SIGKILL');
  await fleet.program.exited;
  await expect.poll(() => living(processes), PATIENCE).toEqual([]);
});

it('dev that is stopped at once, by a second signal, leaves neither a worker nor a model server', async () => {
  const { fleet, processes } = await startServing();
  fleet.program.kill('SIGTERM');
  await fleet.logged(({ event }) => event === 'fleet.stopping');
  // One that comes right after the first is taken for the same.
  const exits = () => {
    fleet.program.kill('SIGTERM');
    return fleet.program.hasExited;
  };
  await expect.poll(exits, PATIENCE).toBe(true);
  expect(await fleet.program.exited).toEqual({ code: 143, signal: null });
  await expect.poll(() => living(processes), PATIENCE).toEqual([]);
});
