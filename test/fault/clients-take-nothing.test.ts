import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { openAt } from '../conformance/rig.js';
import { Scribe } from '../conformance/scribe.js';
import { serveModel } from '../support/model-server.js';
import { startWorker } from '../support/process.js';

const CHUNK = Buffer.alloc(1 << 20, 'x');

it('a client that takes nothing of a serial model’s answer: it is cut, its model stops, and the next one is served', async () => {
  let asked = 0;
  let cut = () => {};
  const untilCut = new Promise<void>((resolve) => {
    cut = resolve;
  });
  const pour = async (response: ServerResponse) => {
    response.once('close', cut);
    while (!response.destroyed) {
      if (!response.write(CHUNK)) await once(response, 'drain').catch(() => {});
    }
  };
  const model = await serveModel((request, response) => {
    request.resume();
    if (request.url !== '/sdapi/v1/txt2img') response.end('ok');
    else if (++asked === 1) void pour(response);
    else response.end('"a picture"');
  });
  const autoscaler = await Scribe.start();
  const worker = await startWorker({
    backend: 'sdwebui',
    reportTo: autoscaler.url,
    env: {
      MODEL_SERVER_URL: model.url,
      TSWORKER_READINESS: 'health',
      TSWORKER_HEALTH_INTERVAL: '50ms',
      TSWORKER_MAX_PERF: '10000000',
      TSWORKER_CLIENT_TIMEOUT: '1s',
      PUBLIC_IPADDR: '127.0.0.1',
    },
  });
  await worker.reaches('serving');
  let requests = 0;
  const open = () => {
    const auth_data = autoscaler.authFor(worker.url, { request_idx: ++requests });
    const payload = { prompt: 'x', width: 64, height: 64, steps: 1 };
    return openAt(worker.port, '/sdapi/v1/txt2img', JSON.stringify({ auth_data, payload })).response;
  };
  // The head of the answer comes, and nothing more is read.
  const stuck = await open();
  const next = await open();
  expect([next.statusCode, await text(next)]).toEqual([200, '"a picture"']);
  await untilCut;
  await expect(text(stuck)).rejects.toThrow();

  expect(worker.told('client.stuck')).toMatchObject([
    { level: 40, msg: 'cut a client that took nothing of its answer for 1 s (TSWORKER_CLIENT_TIMEOUT)' },
  ]);
  const { ledger, requestsUnderWay } = await worker.status();
  const { received, cancelled, served, errored } = ledger.totals;
  expect([received, cancelled, served, errored]).toEqual([received, received / 2, received / 2, 0]);
  expect(requestsUnderWay).toBe(0);
});
