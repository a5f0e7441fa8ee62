import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ListenError, LocalAutoscaler, type StateChange } from '../../src/autoscaler/index.js';
import { failed, loaded, loading, update } from './bodies.js';
import { handClock, report, send, startAutoscaler } from './harness.js';

describe('start and stop', () => {
  it('listens on a free port and tells where', async () => {
    const autoscaler = await startAutoscaler();
    expect(autoscaler.port).toBeGreaterThan(0);
    expect(autoscaler.url).toBe(`http://127.0.0.1:${autoscaler.port}`);
    expect((await send(`${autoscaler.url}/api/workers`)).status).toBe(200);
  });

  it.each([
    ['0.0.0.0', 'http://127.0.0.1:8080'],
    ['::', 'http://[::1]:8080'],
    ['::1', 'http://[::1]:8080'],
    ['localhost', 'http://localhost:8080'],
    [undefined, 'http://127.0.0.1:8080'],
  ])('bound to %s it is reached at %s', (host, url) => {
    expect(new LocalAutoscaler(host === undefined ? {} : { host }).url).toBe(url);
  });

  it('a port that is taken is an error that names it', async () => {
    const first = await startAutoscaler();
    const second = new LocalAutoscaler({ port: first.port });
    onTestFinished(() => second.stop());
    const error = await second.start().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({
      code: 'EADDRINUSE',
      message: `The local autoscaler cannot listen on 127.0.0.1:${first.port}: the address is already in use.`,
    });
    await first.stop();
    await second.start();
    expect((await send(`${second.url}/api/workers`)).status).toBe(200);
  });

  it('both can be asked for again, and in any order', async () => {
    const autoscaler = new LocalAutoscaler({ port: 0 });
    await autoscaler.stop();
    await Promise.all([autoscaler.start(), autoscaler.start(), autoscaler.stop(), autoscaler.stop()]);
    await expect(fetch(autoscaler.url)).rejects.toThrow('fetch failed');
  });

  it('after a stop it starts at the same port and still knows what it was told', async () => {
    const autoscaler = await startAutoscaler();
    const { url } = autoscaler;
    await report(autoscaler, loaded());
    await autoscaler.stop();
    await autoscaler.start();
    expect(autoscaler.url).toBe(url);
    await report(autoscaler, update());
    expect(autoscaler.messages().map(({ sequence, kind }) => [sequence, kind])).toEqual([
      [1, 'loaded'],
      [2, 'update'],
    ]);
    expect(autoscaler.workers().map(({ sums }) => sums.reports)).toEqual([2]);
  });
});

describe('events', () => {
  it('tell each change of state that came with a message', async () => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ now: clock.now, reportIntervalMs: 1_000 });
    const changes: StateChange[] = [];
    autoscaler.on('state', (change) => changes.push(change));
    for (const body of [loading(), loaded(), update(), failed()]) await report(autoscaler, body);
    clock.advance(3_000);
    expect(autoscaler.workers().map(({ state }) => state)).toEqual(['silent']);
    await report(autoscaler, loaded());
    expect(changes).toEqual([
      { workerId: 1, from: null, to: 'loading' },
      { workerId: 1, from: 'loading', to: 'serving' },
      { workerId: 1, from: 'serving', to: 'failing' },
      { workerId: 1, from: 'silent', to: 'serving' },
    ]);
  });

  it('tell what was refused', async () => {
    const autoscaler = await startAutoscaler();
    const refused = new Promise((resolve) => autoscaler.once('refused', resolve));
    await report(autoscaler, { id: 1, cur_load: 1 });
    expect(await refused).toMatchObject({ field: 'num_requests_recieved' });
  });

  it('a listener that throws does not stop the work', async () => {
    const autoscaler = await startAutoscaler();
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    autoscaler.on('message', () => {
      throw new Error('the listener broke');
    });
    expect((await report(autoscaler, loaded())).status).toBe(200);
    expect(warn.mock.calls).toEqual([[new Error('the listener broke')]]);
  });
});

describe('waiting for a message', () => {
  it('finds one that came before, and one that is yet to come', async () => {
    const autoscaler = await startAutoscaler();
    await report(autoscaler, loaded());
    expect(await autoscaler.waitForMessage(({ kind }) => kind === 'loaded')).toMatchObject({ sequence: 1 });
    const later = autoscaler.waitForMessage(({ kind, acknowledged }) => kind === 'update' && acknowledged);
    await report(autoscaler, update());
    expect(await later).toEqual(autoscaler.messages()[1]);
  });

  it('ends with the time, with a stop, and with a condition that throws', async () => {
    const autoscaler = await startAutoscaler();
    const never = () => false;
    await expect(autoscaler.waitForMessage(never, { timeoutMs: 1 })).rejects.toThrow('within 1 ms');
    const stopped = autoscaler.waitForMessage(never);
    const broken = autoscaler.waitForMessage(() => {
      throw new Error('bad condition');
    });
    const ends = Promise.allSettled([stopped, broken]);
    await report(autoscaler, loaded());
    await autoscaler.stop();
    expect((await ends).map((end) => end.status === 'rejected' && String(end.reason))).toEqual([
      'Error: The local autoscaler was stopped.',
      'Error: bad condition',
    ]);
    expect(autoscaler.listenerCount('message')).toBe(0);
    expect(autoscaler.listenerCount('stopped')).toBe(0);
  });
});
