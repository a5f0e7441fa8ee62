import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import { acknowledgedUpdates } from '../support/faults-books.js';
import { post, startServingPuppet } from '../support/faults-puppet.js';
import { TOKEN, type WorkerProcess } from '../support/process.js';

/** A serving worker that may be updated, and the file that is touched then. */
async function startUpdatable(env: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-update-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'force_update');
  return { file, ...(await startServingPuppet({ env: { TSWORKER_UPDATE_FILE: file, ...env } })) };
}

const internalUrl = (worker: WorkerProcess) =>
  `http://127.0.0.1:${worker.told('listening')[0]?.internalPort}`;

const askForUpdate = (worker: WorkerProcess) => send('POST', `${worker.url}/pyworker/update`);

const withdraw = (worker: WorkerProcess) => send('DELETE', `${internalUrl(worker)}/pyworker/update`);

async function send(method: 'POST' | 'DELETE', url: string, token = TOKEN) {
  const { statusCode, body } = await request(url, {
    method,
    headers: { authorization: `Bearer ${token}` },
    reset: true,
  });
  return { status: statusCode, body: await body.json() };
}

async function readiness(worker: WorkerProcess) {
  const { statusCode, body } = await request(`${internalUrl(worker)}/readyz`, { reset: true });
  const { ready, state, reason } = Object(await body.json());
  return { status: statusCode, ready, state, reason };
}

const OK = { status: 200, body: { ok: true } };
const TOO_LATE = {
  status: 409,
  body: { error: 'nothing_to_withdraw', message: 'There is no update that can still be withdrawn.' },
};
const statesOf = (worker: WorkerProcess) => worker.told('state.entered').map(({ state }) => state);

it('with requests in flight: all finish, nobody else is let in, all is told, and the exit code asks for a start', async () => {
  const { file, autoscaler, upstream, worker, begin } = await startUpdatable();
  const answers = await begin(8);
  expect(existsSync(file)).toBe(false);
  expect(await askForUpdate(worker)).toEqual(OK);
  expect(existsSync(file)).toBe(true);
  await worker.reaches('draining');
  expect(await readiness(worker)).toEqual({
    status: 503,
    ready: false,
    state: 'draining',
    reason: 'the autoscaler asks for an update',
  });
  expect(await post(worker, '/ask')).toMatchObject({ status: 503, connection: 'close' });
  expect(await askForUpdate(worker)).toEqual(OK);
  upstream.release('/answer');
  expect(await Promise.all(answers)).toEqual(
    Array.from({ length: 8 }, () => ({ status: 200, connection: 'close', body: 'after a while' })),
  );
  expect(await worker.exited).toEqual({ code: 75, signal: null });
  expect(acknowledgedUpdates(autoscaler).at(-1)?.num_requests_recieved).toBe(8);
  expect([worker.told('requests.cut'), worker.told('left.unreported')]).toEqual([[], []]);
});

it('with nothing in flight: it is answered, and ends at once', async () => {
  const { worker } = await startUpdatable();
  expect(await askForUpdate(worker)).toEqual(OK);
  expect(await worker.exited).toEqual({ code: 75, signal: null });
});

it('with requests in flight that outlast the deadline: they are cut, and it makes way all the same', async () => {
  const { worker, begin } = await startUpdatable({ TSWORKER_DRAIN_TIMEOUT: '1s' });
  const answers = await begin(2);
  expect(await askForUpdate(worker)).toEqual(OK);
  expect(await worker.exited).toEqual({ code: 75, signal: null });
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 2 }, () => ({ lost: 'UND_ERR_SOCKET' })));
  expect(worker.told('requests.cut').map(({ requests }) => requests)).toEqual([2]);
});

it('withdrawn while requests are in flight: it serves again, and nothing is lost', async () => {
  const { autoscaler, upstream, worker, begin } = await startUpdatable({ TSWORKER_DRAIN_TIMEOUT: '1s' });
  const answers = await begin(3);
  expect(await withdraw(worker)).toEqual(TOO_LATE);
  await askForUpdate(worker);
  const draining = await worker.reaches('draining');
  const wrong = await send('DELETE', `${internalUrl(worker)}/pyworker/update`, 'wrong');
  expect([wrong.status, (await send('DELETE', `${worker.url}/pyworker/update`)).status]).toEqual([401, 405]);
  expect((await worker.status()).state).toBe('draining');

  expect(await withdraw(worker)).toEqual(OK);
  await worker.reaches('serving', draining);
  expect(await withdraw(worker)).toEqual(TOO_LATE);
  expect(await readiness(worker)).toMatchObject({ status: 200, ready: true, state: 'serving' });
  upstream.release('/answer');
  expect((await Promise.all(answers)).map((answer) => 'status' in answer && answer.status)).toEqual([
    200, 200, 200,
  ]);
  expect(await post(worker, '/ask')).toEqual({ status: 200, connection: 'keep-alive', body: 'at once' });

  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(acknowledgedUpdates(autoscaler).at(-1)?.num_requests_recieved).toBe(4);
  expect(statesOf(worker)).toEqual([
    'loading',
    'loaded',
    'serving',
    'draining',
    'loaded',
    'serving',
    'draining',
    'stopped',
  ]);
});

it('followed by SIGTERM: it stops for good, and can not be withdrawn', async () => {
  const { upstream, worker, begin } = await startUpdatable();
  const answers = await begin(1);
  await askForUpdate(worker);
  await worker.reaches('draining');
  worker.kill('SIGTERM');
  await expect.poll(async () => (await readiness(worker)).reason).toBe('SIGTERM was received');
  expect(await withdraw(worker)).toEqual(TOO_LATE);
  upstream.release('/answer');
  expect(await Promise.all(answers)).toMatchObject([{ status: 200 }]);
  expect(await worker.exited).toEqual({ code: 0, signal: null });
});
