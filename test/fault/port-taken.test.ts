import { expect, it } from 'vitest';
import { expectExactBooks } from '../support/faults-books.js';
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
    expect(await second.exited).toEqual({ code: 1, signal: null });
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
