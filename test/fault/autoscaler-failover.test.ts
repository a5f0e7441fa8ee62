import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { expectExactBooks, expectLoadedTold } from '../support/faults-books.js';
import { Clients } from '../support/faults-clients.js';
import { messages, startAutoscaler } from '../support/faults-load.js';
import { Program, startWorker, type WorkerProcess } from '../support/process.js';

const REPORTS = 20;

/** An address at which the first attempt fails, and how many came to it. */
interface Bad {
  readonly url: string;
  /** Undefined: it can't know. */
  readonly attempts: () => number | undefined;
}

/** Nobody listens. */
async function dead(): Promise<Bad> {
  const autoscaler = await startAutoscaler();
  await autoscaler.stop();
  return { url: autoscaler.url, attempts: () => undefined };
}

/** Takes reports and never answers. */
async function hanging(): Promise<Bad> {
  const autoscaler = await startAutoscaler({ fault: () => ({ kind: 'hang' }) });
  return { url: autoscaler.url, attempts: () => autoscaler.messages().length };
}

/** Takes connections and closes them. */
async function closing(): Promise<Bad> {
  let attempts = 0;
  const server = createServer((socket) => {
    attempts += 1;
    socket.destroy();
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: urlOf(server.address()), attempts: () => attempts };
}

/** Does not even take connections: a packet that goes there is lost. */
async function blackholed(): Promise<Bad> {
  const program = new Program(process.execPath, ['test/fault/programs/blackhole.mjs']);
  const port = await program.find('its port', () => program.lines.map(Number)[0]);
  program.kill('SIGSTOP');
  await fillQueue(port);
  return { url: `http://127.0.0.1:${port}`, attempts: () => undefined };
}

/** Opens connections until one is not taken any more. */
async function fillQueue(port: number): Promise<void> {
  for (let taken = true; taken; ) {
    const socket: Socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    const connected = new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true)));
    taken = await Promise.race([connected, delay(300, false)]);
  }
}

function urlOf(address: ReturnType<ReturnType<typeof createServer>['address']>): string {
  if (address === null || typeof address === 'string') throw new Error('not a TCP address');
  return `http://127.0.0.1:${address.port}`;
}

const deliveries = (worker: WorkerProcess) => worker.told('report.delivered');

it.each([
  ['dead', dead],
  ['hanging', hanging],
  ['closing connections', closing],
  ['blackholed', blackholed],
])('the first address is %s, and the second works', async (_name, make) => {
  const bad = await make();
  const good = await startAutoscaler();
  const worker = await startWorker({
    reportTo: `${bad.url},${good.url}`,
    env: { TSWORKER_REPORT_TIMEOUT: '1s', TSWORKER_LOG_LEVEL: 'debug' },
  });
  await worker.reaches('serving');
  const clients = new Clients(worker);
  for (let report = 0; report < REPORTS; report++) {
    await Promise.all([clients.increment(10), messages(good, 1)]);
  }
  await expectExactBooks(worker, good, clients.sent);
  await expectLoadedTold(worker, good);
  // One attempt at the bad address, not one a cycle, and no delivery that waited for it.
  expect(worker.told('report.failed').map(({ address }) => address)).toEqual([bad.url]);
  expect(bad.attempts() ?? 1).toBe(1);
  expect(deliveries(worker).filter(({ address }) => address !== good.url)).toEqual([]);
  expect(Math.max(...deliveries(worker).map(({ tookMs }) => Number(tookMs)))).toBeLessThan(900);
  expect(worker.told('address.changed').map(({ from, to }) => ({ from, to }))).toEqual([
    { from: bad.url, to: good.url },
  ]);
  expect(worker.told('outage.began')).toEqual([]);
});

it('goes from one address to the other and back as they come and go', async () => {
  const [one, other] = [await startAutoscaler(), await startAutoscaler()];
  const worker = await startWorker({ reportTo: `${one.url},${other.url}` });
  await worker.reaches('serving');
  const clients = new Clients(worker);
  await clients.increment(50);
  await messages(one, 2);
  await one.stop();
  await clients.increment(50);
  await messages(other, 2);
  await one.start();
  await clients.increment(50);
  await messages(other, 2);
  await other.stop();
  await clients.increment(50);
  await messages(one, 2);
  await expectExactBooks(worker, one, 200);
  expect(worker.told('address.changed').map(({ from, to }) => ({ from, to }))).toEqual([
    { from: one.url, to: other.url },
    { from: other.url, to: one.url },
  ]);
  expect(worker.told('outage.began')).toEqual([]);
});
