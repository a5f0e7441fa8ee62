import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { expectExactBooks } from '../support/faults-books.js';
import { Clients } from '../support/faults-clients.js';
import { startAutoscaler } from '../support/faults-load.js';
import { startWorker } from '../support/process.js';

const SLOW_CLIENTS = 300;
const TIMEOUT_MS = 1_000;

interface SlowClient {
  readonly ended: Promise<{ readonly received: string; readonly afterMs: number }>;
}

/** Sends these bytes, then no more than one byte now and then. */
function slowClient(port: number, bytes: string): SlowClient {
  const socket: Socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let received = '';
  let connectedAtMs = 0;
  let timer: NodeJS.Timeout | undefined;
  socket.on('error', () => {});
  socket.once('connect', () => {
    connectedAtMs = performance.now();
    socket.write(bytes);
    timer = setInterval(() => socket.write('x'), 200);
  });
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  const ended = new Promise<{ received: string; afterMs: number }>((resolve) => {
    socket.once('close', () => {
      clearInterval(timer);
      resolve({ received, afterMs: performance.now() - connectedAtMs });
    });
  });
  return { ended };
}

it.each([
  [
    'headers',
    'POST /increment HTTP/1.1\r\nHost: localhost\r\nX-Slow: ',
    { TSWORKER_HEADERS_TIMEOUT: `${TIMEOUT_MS}ms` },
  ],
  [
    'bodies',
    'POST /increment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n{',
    { TSWORKER_HEADERS_TIMEOUT: '500ms', TSWORKER_REQUEST_TIMEOUT: `${TIMEOUT_MS}ms` },
  ],
])(
  `${SLOW_CLIENTS} clients that dawdle over their %s are cut, and the others are served`,
  async (_what, bytes, env) => {
    const autoscaler = await startAutoscaler();
    const worker = await startWorker({
      reportTo: autoscaler.url,
      env,
    });
    await worker.reaches('serving');
    const clients = new Clients(worker, 10);
    await clients.increment(100);
    const before = worker.program.resources();

    const slow = Array.from({ length: SLOW_CLIENTS }, () => slowClient(worker.port, bytes));
    let waiting = true;
    const allEnded = Promise.all(slow.map(({ ended }) => ended)).finally(() => {
      waiting = false;
    });
    while (waiting) await clients.increment(10);
    const ends = await allEnded;

    expect(new Set(ends.map(({ received }) => received.split('\r\n')[0]))).toEqual(
      new Set(['HTTP/1.1 408 request_timeout']),
    );
    // Node looks for them once a second.
    expect(Math.min(...ends.map(({ afterMs }) => afterMs))).toBeGreaterThan(TIMEOUT_MS - 100);
    expect(Math.max(...ends.map(({ afterMs }) => afterMs))).toBeLessThan(TIMEOUT_MS + 3_000);
    const after = await vi.waitFor(() => {
      const now = worker.program.resources();
      expect(now.sockets - before.sockets).toBeLessThanOrEqual(2);
      expect(now.fds - before.fds).toBeLessThanOrEqual(2);
      return now;
    });
    await expectExactBooks(worker, autoscaler, clients.sent);
    // Told, but not 300 times.
    expect(worker.told('request.refused').length).toBeLessThanOrEqual(1);
    console.info(JSON.stringify({ sent: clients.sent, before, after }));
  },
);
