import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { request } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import type { WorkersView } from '../../src/autoscaler/index.js';
import { Serverless } from '../../src/client/index.js';
import { API_KEY } from '../support/fleet-process.js';
import { MAIN, Program } from '../support/process.js';

const CTRL_C = '\x03';

const PATIENCE = { timeout: 30_000, interval: 100 };

/**
 * `npm start` in a terminal of its own, as somebody types it. `exec`, because the shell that `script`
 * starts is no interactive one: hit by the same key press, it would end with a code of its own.
 */
async function npmStart() {
  const terminal = new Program('script', ['-qec', 'exec npm start', '/dev/null'], {
    env: { HOME: process.env.HOME ?? '/', TERM: 'xterm', PATH: process.env.PATH ?? '' },
  });
  const lines = () => terminal.lines.map(stripVTControlCharacters);
  const shown = (pattern: RegExp) =>
    terminal.find(String(pattern), () =>
      lines()
        .map((line) => pattern.exec(line))
        .find((match) => match !== null),
    );
  const [, worker = ''] = await shown(/worker +(http:\S+)/);
  const [, autoscaler = ''] = await shown(/autoscaler +(http:\S+)\//);
  await shown(/serving: /);
  const served = async () => {
    await request(`${worker}/value`).then(({ body }) => body.dump());
  };
  return { terminal, worker, autoscaler, lines, shown, served };
}

const isGone = async (url: string) =>
  request(url, { reset: true }).then(
    () => false,
    () => true,
  );

it('one key press: both stop cleanly, and the last report is acknowledged', async () => {
  const { terminal, worker, autoscaler, lines, shown, served } = await npmStart();
  for (let count = 0; count < 5; count++) await served();
  terminal.type(CTRL_C);
  await shown(/draining: SIGINT was received/);
  expect(await terminal.exited).toEqual({ code: 0, signal: null });
  const told = lines().filter((line) => line.includes('report update delivered'));
  expect(told.at(-1)).toContain('num_requests_recieved 5');
  expect(lines().filter((line) => line.includes('everything is finished and reported')).length).toBe(1);
  expect([await isGone(worker), await isGone(autoscaler)]).toEqual([true, true]);
});

it('one key press with a request in flight: it finishes first', async () => {
  const { terminal, worker, shown } = await npmStart();
  const unfinished = await beginRequest(worker);
  terminal.type(CTRL_C);
  await shown(/draining: SIGINT was received/);
  unfinished.finish();
  const [head = '', body] = (await unfinished.answer).split('\r\n\r\n');
  expect(head.split('\r\n')).toEqual(expect.arrayContaining(['HTTP/1.1 200 OK', 'Connection: close']));
  expect(body).toBe('Incremented');
  expect(await terminal.exited).toEqual({ code: 0, signal: null });
});

it('two key presses, the second a little later, with a request in flight: it ends at once', async () => {
  const { terminal, worker, autoscaler, shown } = await npmStart();
  const unfinished = await beginRequest(worker);
  terminal.type(CTRL_C);
  await shown(/draining: SIGINT was received/);
  await delay(700);
  const atMs = performance.now();
  terminal.type(CTRL_C);
  expect(await unfinished.answer).toBe('');
  expect((await terminal.exited).code).toBe(130);
  expect(performance.now() - atMs).toBeLessThan(2_000);
  expect([await isGone(worker), await isGone(autoscaler)]).toEqual([true, true]);
});

it('one key press with a fleet of workers: what they have been sent finishes', async () => {
  const options = '--port 0 --internal-port 0 --autoscaler-port 0 --max-workers 1 --inactivity-timeout never';
  const command = `exec ${process.execPath} ${MAIN} dev test/e2e/ten-units-backend.ts ${options}`;
  const terminal = new Program('script', ['-qec', command, '/dev/null'], {
    env: {
      HOME: process.env.HOME ?? '/',
      TERM: 'xterm',
      PATH: process.env.PATH ?? '',
      TSWORKER_API_KEY: API_KEY,
    },
  });
  const shown = (pattern: RegExp) =>
    terminal.find(String(pattern), () =>
      terminal.lines
        .map((line) => pattern.exec(stripVTControlCharacters(line)))
        .find((match) => match !== null),
    );
  const [, autoscalerUrl = ''] = await shown(/see (http:\S+)\//);
  const client = new Serverless({ apiKey: API_KEY, autoscalerUrl });
  const endpoint = await client.endpoint('my-endpoint');
  // Longer than a worker that is to end is still open to those who were sent to it.
  const answer = endpoint.request('/work', { units: 40 }, { cost: 40, maxRetries: 0 });
  await expect
    .poll(async () => {
      const { body } = await request(`${autoscalerUrl}/api/workers`, { reset: true });
      const { workers } = (await body.json()) as WorkersView;
      return workers[0]?.sums.cur_load;
    }, PATIENCE)
    .toBe(40);
  terminal.type(CTRL_C);
  await shown(/stopping, since SIGINT was received/);
  expect(await answer).toMatchObject({ body: { done: 40 }, attempts: 1 });
  expect(await terminal.exited).toEqual({ code: 0, signal: null });
});

/** A request whose body has half arrived: the worker waits for the rest, though not for long. */
async function beginRequest(url: string) {
  const { hostname, port } = new URL(url);
  const socket: Socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  const answer = new Promise<string>((resolve) => socket.once('close', () => resolve(received)));
  const body = '{"amount":1}';
  socket.write(
    'POST /increment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
  );
  await untilUnderWay(url);
  return { answer, finish: () => socket.write(body.slice(5)) };
}

async function untilUnderWay(url: string): Promise<void> {
  const status = new URL('/status', url);
  status.port = String(Number(status.port) + 1);
  for (;;) {
    const { body } = await request(status, { reset: true });
    const { requestsUnderWay } = (await body.json()) as { requestsUnderWay: number };
    if (requestsUnderWay === 1) return;
  }
}
