import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { Serverless } from '../../src/client/index.js';
import type { LoadResult } from '../../src/load/result.js';
import { API_KEY, FleetProcess } from '../support/fleet-process.js';
import { MAIN, Program } from '../support/process.js';

/** Two workers that work, always, and room for one more. */
async function startFleet(): Promise<FleetProcess> {
  const fleet = new FleetProcess({
    program: [process.execPath, MAIN],
    backend: 'test/e2e/ten-units-backend.ts',
    options: ['--min-load', '15', '--max-workers', '3', '--cold-mult', '0', '--inactivity-timeout', 'never'],
  });
  await Promise.all([fleet.reaches(1, 'ready'), fleet.reaches(2, 'ready')]);
  return fleet;
}

/** The process of a worker. */
function processOf(fleet: FleetProcess, worker: number): number {
  const found = fleet.processes().filter((pid) => {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return environment.includes(`CONTAINER_ID=${worker}`) && !isHelper(pid);
  });
  expect(found).toHaveLength(1);
  return found[0] ?? Number.NaN;
}

/** What loads TypeScript is a process as well. */
function isHelper(pid: number): boolean {
  return !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0start\0');
}

it('a worker that is killed under load is replaced, and no request fails', async () => {
  const fleet = await startFleet();
  const where = ['load', 'my-endpoint', '--autoscaler', await fleet.url()];
  const what = ['--payload', 'test/e2e/ten-units-backend.ts', '--json', '--rate', '12', '--duration', '15s'];
  const load = new Program(process.execPath, [MAIN, ...where, ...what], {
    env: { TSWORKER_API_KEY: API_KEY },
  });
  const expected = async () => (await fleet.decisions()).scaling?.expectedPerSecond;
  await expect.poll(expected, { timeout: 30_000 }).toBeGreaterThan(3);
  process.kill(processOf(fleet, 1), 'SIGKILL');
  const failed = await fleet.reaches(1, 'failed');
  await fleet.logged(
    ({ event, worker, to, time }) =>
      event === 'fleet.phase' && worker === 3 && to === 'ready' && time >= failed.time,
    30_000,
  );
  expect({ ...(await load.exited), said: load.stderr }).toMatchObject({ code: 0 });
  const { requests } = JSON.parse(load.lines.join('\n')) as LoadResult;
  expect(requests).toMatchObject({ sent: 180, succeeded: 180, failed: 0 });
  const { decisions } = await fleet.decisions();
  expect(
    decisions.filter((each) => each.do === 'fail').map(({ worker, reason }) => [worker, reason]),
  ).toEqual([[1, 'its process ended by itself, by SIGKILL']]);
});

it('a session is gone with its worker, be it started anew or killed, and its client hears of it', async () => {
  const fleet = new FleetProcess({
    program: [process.execPath, MAIN],
    backend: 'test/e2e/ten-units-backend.ts',
    options: ['--max-workers', '1', '--min-workers', '1', '--min-load', '1', '--inactivity-timeout', 'never'],
    env: { TSWORKER_SESSION_GRACE: '500ms' },
  });
  await fleet.reaches(1, 'ready');
  const autoscalerUrl = await fleet.url();
  const endpoint = await new Serverless({ apiKey: API_KEY, autoscalerUrl }).endpoint('my-endpoint');
  const makeWay = async () => {
    const body = JSON.stringify({ workergroup_id: 1, api_key: API_KEY });
    const headers = { 'content-type': 'application/json' };
    await fetch(`${autoscalerUrl}/update_workers/`, { method: 'POST', headers, body });
    const workers = async () => (await fleet.decisions()).scaling?.workers;
    await expect.poll(workers, { timeout: 60_000 }).toMatchObject([{ phase: 'ready', starts: 2 }]);
  };
  const die = async () => {
    process.kill(processOf(fleet, 1), 'SIGKILL');
    await fleet.reaches(1, 'failed');
  };
  for (const end of [makeWay, die]) {
    const session = await endpoint.session();
    expect((await session.request('/work', { units: 1 })).body).toMatchObject({ done: 1 });
    await end();
    await expect(session.request('/work', { units: 1 })).rejects.toMatchObject({ code: 'session_ended' });
    expect(await session.isAlive()).toBe(false);
    await expect(session.info()).rejects.toMatchObject({ code: 'session_ended' });
  }
});

it('a worker that hangs is known by its silence, and another takes its place', async () => {
  const fleet = await startFleet();
  const pid = processOf(fleet, 2);
  process.kill(pid, 'SIGSTOP');
  onTestFinished(() => void process.kill(pid, 'SIGKILL'));
  await fleet.reaches(3, 'ready');
  const { decisions, scaling } = await fleet.decisions();
  expect(decisions[1]).toMatchObject({ do: 'fail', worker: 2, reason: 'it has not reported for 6 s' });
  expect(decisions[0]).toMatchObject({ do: 'create', worker: 3 });
  expect(scaling?.workers.map(({ id, phase }) => [id, phase])).toEqual([
    [1, 'ready'],
    [2, 'failed'],
    [3, 'ready'],
  ]);
});
