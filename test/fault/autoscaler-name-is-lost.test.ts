import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expectExactBooks, expectLoadedTold, stopsCleanly } from '../support/faults-books.js';
import { Clients } from '../support/faults-clients.js';
import { messages, startAutoscaler } from '../support/faults-load.js';
import { startWorker } from '../support/process.js';
import { temporaryFolder } from '../support/worker-program.js';

const NAME = 'autoscaler.test';

/** A resolver that knows one name, and what it says of it. */
function resolver() {
  const file = join(temporaryFolder(), 'hosts');
  return {
    file,
    says: (found: string) => writeFileSync(file, `${NAME} ${found}\n`),
    isSilent: () => writeFileSync(file, ''),
  };
}

it.each([
  ['is not known', 'ENOTFOUND', `getaddrinfo ENOTFOUND ${NAME}`],
  ['can not be looked up', 'EAI_AGAIN', `getaddrinfo EAI_AGAIN ${NAME}`],
  ['is looked up without end', undefined, 'no answer within 1000 ms'],
])(
  'the name of the autoscaler %s any more, and comes back with another address',
  async (_name, code, reason) => {
    const names = resolver();
    names.says('127.0.0.1');
    const first = await startAutoscaler();
    const worker = await startWorker({
      reportTo: `http://${NAME}:${first.port}`,
      preload: 'resolver.mjs',
      env: { RESOLVER_HOSTS: names.file, TSWORKER_REPORT_TIMEOUT: '1s', TSWORKER_LOG_LEVEL: 'debug' },
    });
    await worker.reaches('serving');
    const clients = new Clients(worker);
    await clients.increment(50);
    await messages(first, 2);

    if (code === undefined) names.isSilent();
    else names.says(code);
    await clients.increment(50);
    // The connection that is there needs no name.
    await messages(first, 3);
    expect(worker.told('outage.began')).toEqual([]);

    await first.stop();
    await worker.logged(({ event, reason: why }) => event === 'report.failed' && why === reason);
    await clients.increment(50);
    expect(await worker.status()).toMatchObject({
      state: 'serving',
      ledger: { unreported: { received: 50 } },
    });

    const second = await startAutoscaler({ host: '127.0.0.2', port: first.port });
    names.says('127.0.0.2');
    await expectExactBooks(worker, second, clients.sent);
    await expectLoadedTold(worker, second);
    await stopsCleanly(worker);
    expect([worker.told('outage.began').length, worker.told('outage.ended').length]).toEqual([1, 1]);
    expect(worker.told('state.entered').map(({ state }) => state)).toEqual([
      ...['loading', 'loaded', 'serving', 'draining', 'stopped'],
    ]);
  },
);
