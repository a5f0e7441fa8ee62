import { expect, it, onTestFinished } from 'vitest';
import { startFakeModel } from '../../src/testing/models/index.js';
import { openAt } from '../conformance/rig.js';
import { Scribe, sumsOf } from '../conformance/scribe.js';
import { startWorker } from '../support/process.js';

it('SIGTERM with a stream under way: readiness goes off at once, the stream ends whole, and all is told', async () => {
  const autoscaler = await Scribe.start();
  const model = await startFakeModel({ kind: 'openai', behaviour: { pauseAfterTokens: 2 } });
  onTestFinished(() => model.close());
  const worker = await startWorker({
    backend: 'openai',
    reportTo: autoscaler.url,
    env: {
      MODEL_SERVER_URL: model.url,
      TSWORKER_READINESS: 'health',
      MODEL_HEALTH_ENDPOINT: '/health',
      TSWORKER_MAX_PERF: '1000',
      PUBLIC_IPADDR: '127.0.0.1',
    },
  });
  await worker.reaches('serving');
  const bodyFor = (request_idx: number) =>
    JSON.stringify({
      auth_data: autoscaler.authFor(worker.url, { request_idx }),
      payload: { model: 'm', prompt: 'p', max_tokens: 4, stream: true },
    });
  const client = openAt(worker.port, '/v1/completions', bodyFor(1));
  await (await model.untilRequest()).untilTokens(2);
  worker.kill('SIGTERM');
  await worker.reaches('draining');
  const late = await openAt(worker.port, '/v1/completions', bodyFor(2)).response;
  expect([late.statusCode, late.headers.connection]).toEqual([503, 'close']);
  model.behave({ pauseAfterTokens: undefined });
  const pieces: string[] = [];
  for await (const piece of (await client.response).setEncoding('utf8')) pieces.push(String(piece));
  expect(pieces.join('')).toMatch(/tok3.*\[DONE\]/s);
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: 4, rej_load: 4, cur_perf: 4 });
  expect(autoscaler.finished.map(({ request_idx, status }) => [request_idx, status])).toEqual([
    [2, 'Rejected'],
    [1, 'Success'],
  ]);
});
