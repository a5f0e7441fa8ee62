import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BenchmarkSenderOptions, createBenchmarkSender } from '../../src/model/benchmark-client.js';
import { nobody, serveModel } from '../support/model-server.js';

const never = new AbortController().signal;

function senderFor(url: string, timeouts: BenchmarkSenderOptions['timeouts'] = {}) {
  const sender = createBenchmarkSender({ baseUrl: url, path: '/generate', method: 'POST', timeouts });
  onTestFinished(() => sender.close());
  return sender;
}

describe('a request of the benchmark', () => {
  it('is the body as JSON', async () => {
    const bodies: string[] = [];
    const model = await serveModel((request, response) => {
      void text(request).then((body) => {
        bodies.push(`${request.headers['content-type']} ${body}`);
        response.end();
      });
    });
    expect(await senderFor(`${model.url}/`).send({ prompt: 'grün' }, never)).toEqual({ ok: true });
    expect([model.requests, bodies]).toEqual([['POST /generate'], ['application/json {"prompt":"grün"}']]);
  });

  it('has no body with GET', async () => {
    const model = await serveModel((request, response) => {
      void text(request).then((body) => response.writeHead(body === '' ? 200 : 400).end());
    });
    const sender = createBenchmarkSender({ baseUrl: model.url, path: '/v', method: 'GET', timeouts: {} });
    onTestFinished(() => sender.close());
    expect(await sender.send({ ignored: true }, never)).toEqual({ ok: true });
  });

  it('whose answer is a stream is read to its end', async () => {
    const ended: string[] = [];
    const model = await serveModel((_, response) => {
      response.on('close', () => ended.push(response.writableFinished ? 'whole' : 'cut'));
      void (async () => {
        for (let event = 0; event < 50; event++) {
          response.write(`data: ${'x'.repeat(10_000)}\n\n`);
          await new Promise((resolve) => setImmediate(resolve));
        }
        response.end();
      })();
    });
    expect(await senderFor(model.url).send({}, never)).toEqual({ ok: true });
    await expect.poll(() => ended).toEqual(['whole']);
  });

  it('whose stream breaks off has failed', async () => {
    const model = await serveModel((_, response) => {
      response.write('data: 1\n\n', () => response.destroy());
    });
    expect(await senderFor(model.url).send({}, never)).toEqual({
      ok: false,
      reason: expect.stringMatching(/.+/),
      notReady: false,
    });
  });

  it.each([
    [400, false],
    [500, false],
    [503, true],
  ])(
    'that is answered with %i tells what the model said; may be tried again: %s',
    async (status, notReady) => {
      const model = await serveModel((_, response) =>
        response.writeHead(status).end(`no prompt${' '.repeat(1_000)}x`),
      );
      const reason = `it answered with status ${status}: no prompt`;
      expect(await senderFor(model.url).send({}, never)).toEqual({ ok: false, reason, notReady });
    },
  );

  it('that is refused may be tried again', async () => {
    const { url } = await nobody();
    // Without the address, which clients may not see.
    const reason = 'connect ECONNREFUSED';
    expect(await senderFor(url).send({}, never)).toEqual({ ok: false, reason, notReady: true });
  });

  it.each<[string, BenchmarkSenderOptions['timeouts'], boolean, string]>([
    ['answers nothing', { firstByteMs: 40 }, false, 'no answer within 40 ms'],
    ['stands still', { firstByteMs: 9_000, betweenBytesMs: 40 }, true, 'no more of the answer within 40 ms'],
    ['never ends', { betweenBytesMs: 9_000, totalMs: 40 }, true, 'no end of the answer within 40 ms'],
  ])('to a model that %s ends at its time limit', async (_, timeouts, begins, reason) => {
    const model = await serveModel((_, response) => {
      if (begins) response.write('data: 1\n\n');
    });
    expect(await senderFor(model.url, timeouts).send({}, never)).toEqual({
      ok: false,
      reason,
      notReady: false,
    });
  });

  it('ends when its signal is aborted, before it begins as well', async () => {
    const abort = new AbortController();
    const model = await serveModel(() => abort.abort(new Error('too late')));
    const sender = senderFor(model.url);
    const tooLate = { ok: false, reason: 'too late', notReady: false };
    expect(await sender.send({}, abort.signal)).toEqual(tooLate);
    expect(await sender.send({}, abort.signal)).toEqual(tooLate);
    expect(model.requests).toHaveLength(1);
  });
});
