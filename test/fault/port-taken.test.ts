import { expect, it } from 'vitest';
import { expectExactBooks, stopsCleanly } from '../support/faults-books.js';
import { Clients } from '../support/faults-clients.js';
import { startAutoscaler } from '../support/faults-load.js';
import { startWorker, WorkerProcess } from '../support/process.js';

it.each(['WORKER_PORT', 'WORKER_HTTP_PORT'])(
  'two workers on one %s: the second says so and ends',
  async (variable) => {
    const autoscaler = await startAutoscaler();
    const first = await startWorker({ reportTo: autoscaler.url });
    await first.reaches('serving');
    const clients = new Clients(first);
    await clients.increment(100);

    const taken = variable === 'WORKER_PORT' ? first.port : Number(first.told('listening')[0]?.internalPort);
    const second = new WorkerProcess({
      reportTo: autoscaler.url,
      env: { CONTAINER_ID: '8', [variable]: String(taken), TSWORKER_BEACON: 'false' },
    });
    expect(await second.exited).toEqual({ code: 69, signal: null });
    const [line, ...more] = second.program.stderr.trimEnd().split('\n');
    expect(more).toEqual([]);
    expect(line).toContain(`127.0.0.1:${taken} is taken`);
    expect(line).toContain(variable);
    expect(second.log).toEqual([]);

    await clients.increment(100);
    await expectExactBooks(first, autoscaler, 200);
    expect(first.told('state.entered').map(({ state }) => state)).toEqual(['loading', 'loaded', 'serving']);
    expect(autoscaler.workers().map(({ id, state }) => ({ id, state }))).toEqual([
      { id: 7, state: 'serving' },
    ]);
  },
);

it('two workers on one port: the second tells the autoscaler why it does not serve, and does not try again', async () => {
  const autoscaler = await startAutoscaler();
  const first = await startWorker({ reportTo: autoscaler.url });
  await first.reaches('serving');
  const second = new WorkerProcess({
    reportTo: autoscaler.url,
    env: { CONTAINER_ID: '8', WORKER_PORT: String(first.port) },
  });
  const from = (id: number) => autoscaler.messages().filter(({ body }) => Object(body).id === id);
  const cries = () =>
    from(8)
      .map(({ body }) => Object(body))
      .filter(({ error_msg }) => error_msg !== undefined);
  const moreCries = (count: number) => {
    const before = cries().length;
    return autoscaler.waitForMessage(() => cries().length >= before + count);
  };
  await moreCries(3);
  const clients = new Clients(first);
  await clients.increment(100);
  await expectExactBooks(first, { messages: () => from(7) }, 100);
  await stopsCleanly(first);

  // The port is free now, but whoever has started two workers has to say which one it is for.
  await moreCries(3);
  expect(second.told('listening')).toEqual([]);
  const taken = `127.0.0.1:${first.port} is taken by another program`;
  expect(new Set(cries().map(({ error_msg }) => String(error_msg).includes(taken)))).toEqual(new Set([true]));
  expect(second.program.stderr.trimEnd().split('\n')).toEqual([expect.stringContaining(taken)]);
  second.kill('SIGTERM');
  expect(await second.exited).toEqual({ code: 69, signal: null });
});
