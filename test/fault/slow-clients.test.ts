import { expect, it, vi } from 'vitest';
import { expectExactBooks } from '../support/faults-books.js';
import { Clients } from '../support/faults-clients.js';
import { Crowd, type CrowdKind, crowdOf } from '../support/faults-crowd.js';
import { startAutoscaler } from '../support/faults-load.js';
import { startWorker } from '../support/process.js';

const SLOW_CLIENTS = crowdOf(1_000, { hasModel: false });

it.each<[CrowdKind, Record<string, string>]>([
  ['headers', { TSWORKER_HEADERS_TIMEOUT: '1s' }],
  ['bodies', { TSWORKER_HEADERS_TIMEOUT: '500ms', TSWORKER_REQUEST_TIMEOUT: '1s' }],
])(
  `${SLOW_CLIENTS} clients that dawdle over their %s are cut, and the others are served`,
  async (kind, env) => {
    const autoscaler = await startAutoscaler();
    const worker = await startWorker({ reportTo: autoscaler.url, env });
    await worker.reaches('serving');
    const clients = new Clients(worker, 10);
    await clients.increment(100);
    const before = worker.program.resources();

    const crowd = new Crowd(worker.port, SLOW_CLIENTS, kind);
    let waiting = true;
    const ended = crowd.ended().finally(() => {
      waiting = false;
    });
    while (waiting) await clients.increment(10);
    expect(await ended).toEqual({ 'HTTP/1.1 408 request_timeout': SLOW_CLIENTS });

    const after = await vi.waitFor(() => {
      const now = worker.program.resources();
      expect(now.sockets - before.sockets).toBeLessThanOrEqual(2);
      expect(now.fds - before.fds).toBeLessThanOrEqual(2);
      return now;
    });
    await expectExactBooks(worker, autoscaler, clients.sent);
    // Told, but not a thousand times: once before each summary, of which a busy machine may see one.
    const summaries = worker.log.filter(({ refused }) => refused !== undefined).length;
    expect(worker.told('request.refused').length).toBeLessThanOrEqual(1 + summaries);
    expect(summaries).toBeLessThan(10);
    console.info(JSON.stringify({ sent: clients.sent, before, after }));
  },
);
