import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { openAt } from '../conformance/rig.js';
import { serveModel } from '../support/model-server.js';
import { startWorker } from '../support/process.js';

const TOTAL = 200 << 20;
const CHUNK = Buffer.alloc(1 << 20, 'x');

/** Longer than sockets need to take what they can. */
const STALLED_AFTER_MS = 500;

/** What the sockets and streams of one answer may hold. */
const MOST_GROWTH_MIB = 48;

it('a client that does not read 200 MB makes the memory of the worker no larger, and gets them all in the end', async () => {
  let sent = 0;
  let stalled = () => {};
  const untilStalled = new Promise<void>((resolve) => {
    stalled = resolve;
  });
  const send = async (response: ServerResponse) => {
    while (sent < TOTAL) {
      sent += CHUNK.length;
      if (response.write(CHUNK)) continue;
      const timer = setTimeout(stalled, STALLED_AFTER_MS);
      await once(response, 'drain');
      clearTimeout(timer);
    }
    response.end();
  };
  const model = await serveModel((request, response) => {
    if (request.url === '/v1/completions') void send(response);
    else response.end('{"data": []}');
  });
  const worker = await startWorker({
    backend: 'openai',
    env: {
      MODEL_SERVER_URL: model.url,
      UNSECURED: 'true',
      TSWORKER_DRAIN_TIMEOUT: '300ms',
      TSWORKER_READINESS: 'none',
      TSWORKER_MAX_PERF: '1000',
      PUBLIC_IPADDR: '127.0.0.1',
    },
  });
  await worker.reaches('serving');
  // What a first request makes the process load is no growth.
  const warm = await openAt(worker.port, '/v1/models', '{}').response;
  warm.resume();
  const before = worker.program.resources().rssMib;

  const body = JSON.stringify({ payload: { model: 'm', prompt: 'p', max_tokens: 1 } });
  const response = await openAt(worker.port, '/v1/completions', body).response;
  await untilStalled;
  expect(sent).toBeLessThan(TOTAL / 4);
  expect(worker.program.resources().rssMib - before).toBeLessThan(MOST_GROWTH_MIB);

  let received = 0;
  for await (const piece of response) received += (piece as Buffer).length;
  expect(received).toBe(TOTAL);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
});
