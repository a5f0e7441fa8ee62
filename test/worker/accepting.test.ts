import { describe, expect, it, onTestFinished } from 'vitest';
import { LocalAutoscaler } from '../../src/autoscaler/index.js';
import { type BackendContext, defineBackend } from '../../src/backend/index.js';
import { post, send } from '../support/client.js';
import {
  deferred,
  makeWorker,
  next,
  quietBackend,
  serve,
  startWorker,
  untilState,
} from '../support/worker.js';

function notAccepting(reason: string) {
  return {
    status: 503,
    headers: { 'retry-after': '5', 'content-type': 'application/json; charset=utf-8' },
    body: { error: 'not_accepting', message: reason },
  };
}

async function startAutoscaler() {
  const autoscaler = new LocalAutoscaler({ port: 0 });
  await autoscaler.start();
  onTestFinished(() => autoscaler.stop());
  return autoscaler;
}

/** A backend whose context the test holds in its hand. */
function heldBackend() {
  const held: { context?: BackendContext } = {};
  const backend = defineBackend({
    name: 'held',
    maxPerf: 2,
    init: (context) => {
      held.context = context;
    },
    routes: { '/run': { method: 'GET', workload: 1, handle: () => 'ran' } },
  });
  return { backend, held };
}

describe('while it loads', () => {
  it('refuses with the reason, and its load time is the time of init', async () => {
    const loading = deferred<string>();
    const { port, worker } = await startWorker(
      quietBackend({
        init: () => loading.promise,
        routes: { '/run': { method: 'GET', handle: ({ state }) => state } },
      }),
    );
    expect(await send(port, '/run')).toMatchObject(
      notAccepting("The worker is loading: it waits for the backend's own init."),
    );
    expect(await send(port, '/nothing')).toMatchObject({ status: 404 });
    const serving = next(worker, 'lifecycle', ({ state }) => state === 'serving');
    const loadedFor = worker.view().inStateMs;
    loading.resolve('made');
    await serving;
    expect(await send(port, '/run')).toMatchObject({ status: 200, body: 'made' });
    expect(worker.view().loadTimeSeconds * 1000).toBeGreaterThanOrEqual(loadedFor - 1);
  });

  it('is failing when init throws, says so, and loads again when it has recovered', async () => {
    const autoscaler = await startAutoscaler();
    const contexts: BackendContext[] = [];
    const backend = defineBackend({
      name: 'second-time-lucky',
      maxPerf: 2,
      init: (context) => {
        contexts.push(context);
        if (contexts.length < 3) throw new Error(`the model is missing, try ${contexts.length}`);
        return 'made';
      },
      routes: { '/run': { method: 'GET', handle: ({ state }) => state } },
    });
    const { port, worker } = await startWorker(backend, { REPORT_ADDR: autoscaler.url });
    const told = await autoscaler.waitForMessage(({ kind }) => kind === 'error');
    expect(told.body).toMatchObject({ id: 7, error_msg: 'the model is missing, try 1' });
    expect(await send(port, '/run')).toMatchObject(
      notAccepting('The worker is failing: the model is missing, try 1.'),
    );
    expect(contexts[0]?.signal.aborted).toBe(true);

    const failedAgain = next(worker, 'lifecycle', ({ state }) => state === 'failing');
    contexts[0]?.recovered();
    await failedAgain;
    contexts[1]?.recovered();
    await untilState(worker, 'serving');
    expect(await send(port, '/run')).toMatchObject({ status: 200, body: 'made' });
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    await worker.stop('the test says so');
    expect(contexts[2]?.signal.reason).toMatchObject({ message: 'the worker has stopped' });
  });

  it('a load that is given up hears it, and what it makes later is not used', async () => {
    const loads: { context: BackendContext; done: ReturnType<typeof deferred<string>> }[] = [];
    const { port, worker } = await startWorker(
      quietBackend({
        init: (context) => {
          const done = deferred<string>();
          loads.push({ context, done });
          return done.promise;
        },
        routes: { '/run': { method: 'GET', handle: ({ state }) => state } },
      }),
    );
    loads[0]?.context.fail('no space');
    await untilState(worker, 'failing');
    expect(loads[0]?.context.signal.aborted).toBe(true);
    loads[0]?.context.recovered();
    await untilState(worker, 'loading');
    loads[1]?.done.resolve('second');
    await untilState(worker, 'serving');
    loads[0]?.done.resolve('first');
    await loads[0]?.done.promise;
    expect(await send(port, '/run')).toMatchObject({ status: 200, body: 'second' });
  });

  it('a stop does not wait for init, whose signal tells it', async () => {
    const begun = deferred<AbortSignal>();
    const { worker } = await startWorker(
      quietBackend({
        init: ({ signal }) => {
          begun.resolve(signal);
          return new Promise(() => {});
        },
        routes: { '/run': { handle: () => 'ran' } },
      }),
    );
    const signal = await begun.promise;
    expect(await worker.stop('enough')).toBe('clean');
    expect(signal.aborted).toBe(true);
  });

  it('many failed loads leave no listener behind', async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => void warnings.push(warning.name);
    process.on('warning', note);
    let loads = 0;
    const { worker } = await startWorker(
      quietBackend({
        init: ({ recovered }) => {
          loads++;
          if (loads > 30) return;
          setImmediate(recovered);
          throw new Error(`try ${loads}`);
        },
        routes: { '/run': { handle: () => 'ran' } },
      }),
    );
    await untilState(worker, 'serving');
    await worker.stop('the test says so');
    process.off('warning', note);
    expect(loads).toBe(31);
    expect(warnings).toEqual([]);
  });
});

describe('while it is failing', () => {
  it('tells nobody what stands in its reason as a secret', async () => {
    const autoscaler = await startAutoscaler();
    const { backend, held } = heldBackend();
    const { port, worker, log } = await serve(backend, { REPORT_ADDR: autoscaler.url });
    held.context?.fail('GET /m?api_key=sk-live-1&n=1 was refused to Bearer tok_2');
    await untilState(worker, 'failing');
    const reason = 'GET /m?api_key=[redacted]&n=1 was refused to Bearer [redacted]';
    expect(await send(port, '/run')).toMatchObject(notAccepting(`The worker is failing: ${reason}.`));
    expect(worker.view()).toMatchObject({ reason, errorMessage: reason });
    const error = await autoscaler.waitForMessage(({ kind }) => kind === 'error');
    expect(error.body).toMatchObject({ error_msg: reason });
    expect(log.about('state.entered').at(-1)).toMatchObject({ message: `failing: ${reason}` });
    expect(JSON.stringify(log.lines)).not.toMatch(/sk-live|tok_2/);
  });

  it('refuses, tells the autoscaler, and serves again once it has told that it has recovered', async () => {
    const autoscaler = await startAutoscaler();
    const { backend, held } = heldBackend();
    const { port, worker, states } = await serve(backend, { REPORT_ADDR: autoscaler.url });
    expect(await send(port, '/run')).toMatchObject({ status: 200, body: 'ran' });

    held.context?.fail('the GPU fell off');
    await untilState(worker, 'failing');
    expect(await send(port, '/run')).toMatchObject(notAccepting('The worker is failing: the GPU fell off.'));
    const error = await autoscaler.waitForMessage(({ kind }) => kind === 'error');
    expect(error.body).toMatchObject({ error_msg: 'the GPU fell off' });

    held.context?.recovered();
    await untilState(worker, 'serving');
    const again = await autoscaler.waitForMessage(
      ({ kind, sequence }) => kind === 'loaded' && sequence > error.sequence,
    );
    expect(again.body).toMatchObject({ loadtime: worker.view().loadTimeSeconds, max_perf: 2 });
    expect(await send(port, '/run')).toMatchObject({ status: 200, body: 'ran' });
    expect(states.map(({ state, reason }) => `${state}: ${reason}`)).toEqual([
      'loading: the worker has started',
      'loaded: the backend has loaded',
      'serving: the autoscaler knows that it has loaded',
      'failing: the GPU fell off',
      'loaded: the backend has recovered',
      'serving: the autoscaler knows that it has loaded',
    ]);
    expect(worker.view().ledger.totals).toMatchObject({ requests: 2, received: 2 });
  });

  it('what was under way goes on', async () => {
    const result = deferred<string>();
    const { port, worker } = await serve(
      quietBackend({
        routes: {
          '/run': {
            method: 'GET',
            handle: ({ fail }) => {
              fail('broken by a request');
              return result.promise;
            },
          },
        },
      }),
    );
    const answer = send(port, '/run');
    await untilState(worker, 'failing');
    result.resolve('done');
    expect(await answer).toMatchObject({ status: 200, body: 'done' });
  });
});

describe('while it drains', () => {
  it('finishes what is under way, refuses what is new, and closes connections', async () => {
    const result = deferred<string>();
    const { port, worker } = await serve(
      quietBackend({ routes: { '/run': { method: 'GET', handle: () => result.promise } } }),
      { TSWORKER_DRAIN_TIMEOUT: '10s' },
    );
    const begun = next(worker, 'request');
    const keepAlive = { headers: { connection: 'keep-alive' } };
    const underWay = send(port, '/run', keepAlive);
    await begun;
    const stopped = worker.stop('the operator said so');
    const reason = 'The worker is draining: the operator said so.';
    expect(await send(port, '/run', keepAlive)).toMatchObject(notAccepting(reason));
    expect((await send(port, '/run', keepAlive)).headers.connection).toBe('close');
    expect(await send(port, '/nothing', keepAlive)).toMatchObject({
      status: 404,
      headers: { connection: 'close' },
    });
    result.resolve('done');
    expect(await underWay).toMatchObject({ status: 200, body: 'done', headers: { connection: 'close' } });
    expect(await stopped).toBe('clean');
    await expect(send(port, '/run')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('cuts what is not over by the deadline, whose handler hears why', async () => {
    const heard = deferred<unknown>();
    const { port, worker, requests, log } = await serve(
      quietBackend({
        routes: {
          '/run': {
            method: 'GET',
            handle: ({ signal }) => {
              signal.addEventListener('abort', () => heard.resolve(signal.reason));
              return heard.promise.then(() => Promise.reject(signal.reason));
            },
          },
        },
      }),
      { TSWORKER_DRAIN_TIMEOUT: '50ms' },
    );
    const begun = next(worker, 'request');
    const answer = send(port, '/run').then(
      ({ status }) => status,
      (error: NodeJS.ErrnoException) => error.code,
    );
    await begun;
    expect(await worker.stop('enough')).toBe('cut');
    expect(await heard.promise).toMatchObject({ name: 'CutByDeadline' });
    expect([500, 'ECONNRESET']).toContain(await answer);
    expect(requests.map(({ type }) => type)).toEqual(['request.started', 'request.errored']);
    expect(log.about('requests.cut')).toMatchObject([{ level: 'warn', message: '1 requests were cut' }]);
  });
});

it('nothing is left of a worker that never listened', async () => {
  const { port, internalPort } = await serve();
  for (const env of [{ WORKER_PORT: String(port) }, { WORKER_HTTP_PORT: String(internalPort) }]) {
    const { worker, states } = makeWorker(undefined, env);
    await expect(worker.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(states).toEqual([]);
  }
  expect(await post(port, '/increment', { amount: 1 })).toMatchObject({ status: 200 });
});
