import type { Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import { allReported, expectNoGrowth, holds, stopsCleanly, toldInLegacy } from '../support/faults-books.js';
import { Clients } from '../support/faults-clients.js';
import { dribble, startWireAutoscaler, writeWithoutEnd } from '../support/faults-wire.js';
import { startWorker } from '../support/process.js';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

/** Answers that acknowledge nothing. */
const NO_ANSWERS: readonly [string, (socket: Socket) => void][] = [
  ['bytes that are not HTTP', (socket) => socket.write('\u0000\u0001\u00ff so what?\r\n\r\n')],
  ['another protocol', (socket) => socket.write('SSH-2.0-OpenSSH_9.6\r\n')],
  ['a status line and no more', (socket) => socket.end('HTTP/1.1 200 OK\r\n')],
  ['an empty answer', (socket) => socket.end()],
  ['half a body', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"ok')],
  ['a chunked body without its end', (socket) => socket.end(`${CHUNKED}4\r\n{"ok\r\n`)],
  ['a chunk of no length', (socket) => socket.write(`${CHUNKED}zz\r\n{"ok\r\n`)],
  [
    'a body that dribbles without end',
    (socket) => {
      socket.write(CHUNKED);
      dribble(socket, '1\r\nx\r\n');
    },
  ],
  [
    'headers that dribble without end',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      dribble(socket, 'X-More: and more\r\n');
    },
  ],
  [
    'headers without end',
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      writeWithoutEnd(socket, `X-More: ${'more '.repeat(200)}\r\n`);
    },
  ],
  ['informational answers without end', (socket) => dribble(socket, 'HTTP/1.1 102 Processing\r\n\r\n')],
  [
    'a redirect to itself',
    (socket) =>
      socket.write(
        'HTTP/1.1 307 Temporary Redirect\r\nLocation: /worker_status/\r\nContent-Length: 0\r\n\r\n',
      ),
  ],
  [
    'a redirect to elsewhere',
    (socket) =>
      socket.write('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n'),
  ],
  [
    'a switch of protocols',
    (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\n'),
  ],
  [
    'an error with a body without end',
    (socket) => {
      socket.write(CHUNKED.replace('200 OK', '500 No'));
      writeWithoutEnd(socket, `1000\r\n${'x'.repeat(0x1000)}\r\n`);
    },
  ],
];

const ROUNDS = 3;

it.each(NO_ANSWERS)('every other report is answered with %s', async (_name, misbehave) => {
  const autoscaler = await startWireAutoscaler({ isGood: (request) => request % 2 === 0, misbehave });
  const worker = await startWorker({
    reportTo: autoscaler.url,
    env: { TSWORKER_REPORT_TIMEOUT: '400ms', TSWORKER_REPORT_INTERVAL: '50ms' },
  });
  await worker.reaches('serving');
  const clients = new Clients(worker);
  for (let round = 1; round <= ROUNDS; round++) {
    await clients.increment(50);
    await allReported(worker, round * 50);
  }
  const { ledger } = await worker.status();
  expect(toldInLegacy(ledger.reported)).toEqual(toldInLegacy(ledger.totals));
  expect(ledger.totals.received).toBe(ROUNDS * 50);
  await stopsCleanly(worker);
  // Exactly the good answers were taken for acknowledgements, and nobody was sent elsewhere.
  const good = autoscaler.requests.filter((request) => request.good);
  const delivered = worker.told('report.delivered');
  // A status that holds no work is given up where the worker stops in an outage, and may have been answered.
  expect([good.length, good.length - 1]).toContain(delivered.length);
  expect(new Set(autoscaler.requests.map(({ target }) => target))).toEqual(new Set(['POST /worker_status/']));
  // The last need not be an update: at the end of an outage it is told again that the worker has loaded.
  const updates = good.filter(({ body }) => Object.hasOwn(Object(body), 'num_requests_recieved'));
  expect(updates.at(-1)?.body).toMatchObject({ num_requests_recieved: ROUNDS * 50 });
  await vi.waitFor(() => expect(autoscaler.open()).toBe(0));
});

it('an answer of 200 whose body has no end is an answer, and is not read to the end', async () => {
  const autoscaler = await startWireAutoscaler({
    isGood: () => false,
    misbehave: (socket) => {
      socket.write(CHUNKED);
      writeWithoutEnd(socket, `1000\r\n${'x'.repeat(0x1000)}\r\n`);
    },
  });
  const worker = await startWorker({
    reportTo: autoscaler.url,
    measureHeap: true,
    env: { TSWORKER_REPORT_INTERVAL: '20ms' },
  });
  await worker.reaches('serving');
  const clients = new Clients(worker);
  const sendDuring = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      await clients.increment(25);
      await allReported(worker, clients.sent);
    }
  };
  await sendDuring(20);
  const before = await holds(worker);
  await sendDuring(60);
  const after = await holds(worker);
  expectNoGrowth(before, after);
  expect(autoscaler.open()).toBeLessThanOrEqual(2);
  expect(worker.log.filter(({ level }) => level >= 40)).toEqual([]);
  await stopsCleanly(worker);
});
