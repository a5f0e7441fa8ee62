import { createServer, type RequestListener } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WorkerView } from '../../src/view.js';
import { send } from '../support/client.js';
import { nobody, serveModel } from '../support/model-server.js';
import {
  type Env,
  next,
  quietBackend,
  type RunningWorker,
  serve,
  startWorker,
  untilState,
  untilView,
} from '../support/worker.js';

const backendAt = (url: string) =>
  quietBackend({ model: { url, health: '/health' }, routes: { '/run': {} } });

/** A worker whose model server is not there, and the address at which it looks for it. */
async function startBeforeItsModel(env: Env = {}) {
  const { url, port } = await nobody();
  const running = await startWorker(backendAt(url), env);
  return { ...running, modelPort: port, healthUrl: `${url}/health` };
}

async function untilReason(running: RunningWorker, reason: string): Promise<WorkerView> {
  return untilView(running, (view) => view.reason === reason);
}

/** The lines of one event, each once for each time that it was told. */
function told({ log }: RunningWorker, event: string): string[] {
  return log.lines.filter(({ fields }) => fields.event === event).map(({ message }) => message);
}

const ask = ({ port }: RunningWorker) => send(port, '/run', { method: 'POST', body: '{}' });

describe('a model server that can not be reached while the model loads', () => {
  it('is named to the operator with its address and each new reason, and to no client', async () => {
    const running = await startBeforeItsModel();
    const { internalPort, healthUrl, modelPort } = running;
    const waitsFor = (reason: string) => `it waits for a 200 of ${healthUrl}: ${reason}`;

    await untilReason(running, waitsFor('connect ECONNREFUSED'));
    expect(await send(internalPort, '/readyz')).toMatchObject({
      status: 503,
      body: { ready: false, state: 'loading', reason: waitsFor('connect ECONNREFUSED') },
    });
    const refusal = {
      status: 503,
      body: {
        error: 'not_accepting',
        message: "The worker is loading: it waits for a 200 of the model's health route.",
      },
    };
    expect(await ask(running)).toMatchObject(refusal);

    let status = 404;
    const model = await serveModel((_, response) => response.writeHead(status).end(), modelPort);
    await untilReason(running, waitsFor('it answered with status 404'));
    expect(await ask(running)).toMatchObject(refusal);
    await expect.poll(() => model.requests.length, { timeout: 10_000 }).toBeGreaterThan(2);

    status = 200;
    await untilState(running.worker, 'serving');
    expect(told(running, 'waiting')).toEqual([
      `waiting for a 200 of ${healthUrl}`,
      `waiting for a 200 of ${healthUrl}: connect ECONNREFUSED`,
      `waiting for a 200 of ${healthUrl}: it answered with status 404`,
    ]);
  });

  it('is named to the operator by what the benchmark meets where there is no health route', async () => {
    const { url } = await nobody();
    const routes = { '/run': { benchmark: { dataset: [{}], runs: 1, concurrency: 1 } } };
    const running = await startWorker(quietBackend({ model: { url }, routes }), {
      TSWORKER_BENCHMARK_FILE: '/nowhere/benchmarks.json',
    });
    await untilReason(
      running,
      `it waits for the benchmark: the model at ${url} does not take requests yet: connect ECONNREFUSED`,
    );
    expect((await ask(running)).body).toMatchObject({
      message: 'The worker is loading: it waits for the benchmark.',
    });
  });

  it('is still named when the load has failed for it, and found when it is repaired', async () => {
    const running = await startBeforeItsModel({
      TSWORKER_LOAD_TIMEOUT: '1s',
      TSWORKER_HEALTH_INTERVAL: '50ms',
    });
    const { healthUrl, modelPort } = running;
    const because =
      "the model did not load within 1 s (TSWORKER_LOAD_TIMEOUT); it still waited for a 200 of the model's health route: connect ECONNREFUSED";
    await untilReason(running, `${because} (${healthUrl})`);
    expect(await ask(running)).toMatchObject({
      status: 503,
      body: { message: `The worker is failing: ${because}.` },
    });

    let status = 404;
    const model = await serveModel((_, response) => response.writeHead(status).end(), modelPort);
    await untilReason(running, `${because} (${healthUrl}: it answered with status 404)`);
    await expect.poll(() => model.requests.length).toBeGreaterThan(4);
    expect((await ask(running)).body).toMatchObject({ message: `The worker is failing: ${because}.` });

    status = 200;
    await untilState(running.worker, 'serving');
    expect(told(running, 'health.unwell').at(-1)).toBe(
      'the model server is not well yet: it answered with status 404',
    );
    expect(told(running, 'health.unwell').length).toBeLessThanOrEqual(2);
  });
});

describe('a model server that has died while it was watched', () => {
  /** A model server that can die. */
  async function mortal(answer: RequestListener) {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const die = () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    onTestFinished(die);
    return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, die };
  }

  it('is asked at once when a request can not connect, and once however many there are', async () => {
    const { url, die } = await mortal((_, response) => response.end());
    const running = await serve(backendAt(url), { TSWORKER_HEALTH_INTERVAL: '1h' });
    expect((await ask(running)).status).toBe(200);
    await die();
    const strike = next(running.worker, 'model', ({ type }) => type === 'health.strike');
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(running)));
    expect(answers.every(({ status }) => status === 500 || status === 502)).toBe(true);
    expect(await strike).toEqual({ type: 'health.strike', strikes: 1, reason: 'connect ECONNREFUSED' });
    for (let requests = 0; requests < 20; requests++) await ask(running);
    expect(told(running, 'health.strike')).toHaveLength(1);
  });

  it('is named with its address to the operator alone once it has failed', async () => {
    const { url, die } = await mortal((_, response) => response.end());
    const running = await serve(backendAt(url), { TSWORKER_HEALTH_INTERVAL: '50ms' });
    await die();
    const because = 'the model server is not well: connect ECONNREFUSED';
    await untilReason(running, `${because} (${url}/health)`);
    expect((await ask(running)).body).toMatchObject({ message: `The worker is failing: ${because}.` });
  });
});
