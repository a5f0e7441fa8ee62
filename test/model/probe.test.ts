import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { createHealthProbe, type HealthProbeOptions, untilHealthy } from '../../src/model/health.js';
import { createProbe, type Probe, unlessDown } from '../../src/model/probe.js';
import { nobody, serveModel } from '../support/model-server.js';
import { leftBehindBy } from '../support/resources.js';

const never = new AbortController().signal;

function probeOf(url: string, timeoutMs = 10_000): Probe {
  const probe = createProbe({ url: `${url}/health`, timeoutMs });
  onTestFinished(() => probe.close());
  return probe;
}

describe('a probe', () => {
  it('resolves at 200', async () => {
    const model = await serveModel((_, response) => response.end('{"status":"ok"}'));
    await probeOf(model.url).once(never);
    expect(model.requests).toEqual(['GET /health']);
  });

  it.each([503, 500, 404, 204, 301])('rejects with the status %i', async (status) => {
    const model = await serveModel((_, response) =>
      response.writeHead(status, { location: '/elsewhere' }).end(),
    );
    await expect(probeOf(model.url).once(never)).rejects.toThrow(`it answered with status ${status}`);
  });

  it('rejects with the reason where nobody listens, and without the address', async () => {
    const { url } = await nobody();
    await expect(probeOf(url).once(never)).rejects.toThrow(/^connect ECONNREFUSED$/);
    await expect(probeOf('http://nobody.invalid').once(never)).rejects.toThrow(/^getaddrinfo E[A-Z_]+$/);
  });

  it('rejects with a reason where the connection is cut', async () => {
    const model = await serveModel((request) => request.socket.destroy());
    await expect(probeOf(model.url).once(never)).rejects.toThrow(/.+/);
  });

  it.each([
    ['never answers', () => {}],
    ['never ends its answer', (_: unknown, response: { write(text: string): void }) => response.write('x')],
  ])('rejects in time where the server %s', async (_, answer) => {
    const model = await serveModel(answer);
    await expect(probeOf(model.url, 50).once(never)).rejects.toThrow('no answer within 50 ms');
  });

  it('does not read an answer without an end', async () => {
    const model = await serveModel((_, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(16_384)));
      };
      response.on('drain', more);
      more();
    });
    await probeOf(model.url).once(never);
  });

  it('is given up when its signal is aborted, before it begins as well', async () => {
    const abort = new AbortController();
    const model = await serveModel(() => abort.abort(new Error('the worker stops')));
    const probe = probeOf(model.url);
    await expect(probe.once(abort.signal)).rejects.toThrow('the worker stops');
    await expect(probe.once(abort.signal)).rejects.toThrow('the worker stops');
    expect(model.requests).toHaveLength(1);
  });

  it('comes over a new connection each time, so that one which the server has closed is no failure', async () => {
    const model = await serveModel((_, response) => response.end());
    const probe = probeOf(model.url);
    for (let times = 0; times < 3; times++) await probe.once(never);
    expect(model.connections).toBe(3);
  });

  it('does not share the connections of requests: it is answered while 130 are under way', async () => {
    const model = await serveModel((request, response) => {
      if (request.url === '/health') response.end();
    });
    const abort = new AbortController();
    const requests = Array.from({ length: 130 }, () =>
      fetch(`${model.url}/generate`, { signal: abort.signal }).catch(() => {}),
    );
    await expect.poll(() => model.requests.length).toBe(130);
    await probeOf(model.url).once(never);
    expect(model.requests.at(-1)).toBe('GET /health');
    abort.abort();
    await Promise.all(requests);
  });

  it('leaves nothing behind', async () => {
    const left = await leftBehindBy(async () => {
      const server = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const probe = createProbe({ url: `http://127.0.0.1:${port}/`, timeoutMs: 1_000 });
      const abort = new AbortController();
      for (let times = 0; times < 30; times++) await probe.once(abort.signal).catch(() => {});
      await probe.close();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    });
    expect(left).toEqual({});
  });
});

describe('the effect behind the health machine', () => {
  const sick: Probe = {
    once: () => Promise.reject(new Error('it answered with status 503')),
    close: async () => {},
  };
  const well: Probe = { once: async () => {}, close: async () => {} };
  const effectOf = (probe: Probe | null, given: Partial<HealthProbeOptions> = {}) =>
    createHealthProbe({ probe, bytesSoFar: () => 0, takeQuietMs: () => 0, ...given });

  it('answers that the server is well', async () => {
    const effect = effectOf(well);
    expect(await toPromise(createActor(effect).start())).toEqual({ ok: true, quietMs: 0 });
  });

  it('has nothing to ask where there is no health route, and only tells the silence', async () => {
    const effect = effectOf(null, { takeQuietMs: () => 7 });
    expect(await toPromise(createActor(effect).start())).toEqual({ ok: true, quietMs: 7 });
  });

  it('does not take a server that refuses connections for a busy one, whatever it has sent before', async () => {
    let bytes = 0;
    const effect = effectOf(probeOf((await nobody()).url), { bytesSoFar: () => bytes });
    bytes = 100;
    expect(await toPromise(createActor(effect).start())).toMatchObject({ ok: false, bytesFlowed: false });
  });

  it.each([well, sick])('tells how long the silence is, whatever the health route says', async (probe) => {
    const effect = effectOf(probe, { takeQuietMs: () => 9 });
    expect(await toPromise(createActor(effect).start())).toMatchObject({ quietMs: 9 });
  });

  it('a busy engine that misses a health check: says whether bytes have flowed since the last one', async () => {
    let bytes = 100;
    const effect = effectOf(sick, { bytesSoFar: () => bytes });
    const ask = () => toPromise(createActor(effect).start());
    const failed = { ok: false, reason: 'it answered with status 503', quietMs: 0 };
    expect(await ask()).toEqual({ ...failed, bytesFlowed: false });
    bytes = 101;
    expect(await ask()).toEqual({ ...failed, bytesFlowed: true });
    expect(await ask()).toEqual({ ...failed, bytesFlowed: false });
  });

  it('a server that hangs while no bytes come in is seen, with a reason', async () => {
    const model = await serveModel(() => {});
    const actor = createActor(effectOf(probeOf(model.url, 50))).start();
    expect(await toPromise(actor)).toEqual({
      ok: false,
      reason: 'no answer within 50 ms',
      bytesFlowed: false,
      quietMs: 0,
    });
  });
});

describe('waiting for health', () => {
  it('asks until the first 200, and tells each time why not', async () => {
    const answers = [503, 500, 200, 503];
    const model = await serveModel((_, response) => response.writeHead(answers.shift() ?? 500).end());
    const reasons: string[] = [];
    const onUnwell = (reason: string) => void reasons.push(reason);
    await untilHealthy({ probe: probeOf(model.url), pauseMs: 1, signal: never, onUnwell });
    expect(reasons).toEqual(['it answered with status 503', 'it answered with status 500']);
  });

  it('waits for a server that is not there yet', async () => {
    const { url, port } = await nobody();
    const refused: string[] = [];
    const healthy = untilHealthy({
      probe: probeOf(url),
      pauseMs: 1,
      signal: never,
      onUnwell: (reason) => refused.push(reason),
    });
    await expect.poll(() => refused.length).toBeGreaterThan(1);
    await serveModel((_, response) => response.end(), port);
    await healthy;
  });

  it.each(['while it asks', 'while it pauses'])('ends when its signal is aborted %s', async (when) => {
    const abort = new AbortController();
    const model = await serveModel((_, response) => {
      if (when === 'while it asks') abort.abort(new Error('the worker stops'));
      else response.writeHead(503).end();
    });
    const onUnwell = () => void setImmediate(() => abort.abort(new Error('the worker stops')));
    await expect(
      untilHealthy({ probe: probeOf(model.url), pauseMs: 60_000, signal: abort.signal, onUnwell }),
    ).rejects.toThrow();
  });
});

describe('a model server that the worker runs', () => {
  it('is not asked while it does not run: another server could answer in its place', async () => {
    const other = await serveModel((_, response) => response.end());
    let isDown = true;
    const probe = unlessDown(probeOf(other.url), () => isDown);
    await expect(probe.once(never)).rejects.toThrow('it does not run');
    expect(other.requests).toEqual([]);
    isDown = false;
    await probe.once(never);
    expect(other.requests).toEqual(['GET /health']);
    await probe.close();
  });
});
