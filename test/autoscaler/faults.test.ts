import { describe, expect, it } from 'vitest';
import type { Fault, IncomingReport, LocalAutoscaler } from '../../src/autoscaler/index.js';
import { loaded, update } from './bodies.js';
import { exchange, rawReport, report, startAutoscaler } from './harness.js';

const outcomes = (autoscaler: LocalAutoscaler) =>
  autoscaler.messages().map(({ sequence, acknowledged }) => [sequence, acknowledged]);

const counted = (autoscaler: LocalAutoscaler) => autoscaler.workers().map(({ sums }) => sums.reports);

describe('faults', () => {
  it('are asked for each message, with its number and what it says', async () => {
    const asked: IncomingReport[] = [];
    const autoscaler = await startAutoscaler({
      fault: (incoming) => {
        asked.push(incoming);
        return undefined;
      },
    });
    await report(autoscaler, loaded());
    await report(autoscaler, { nothing: true });
    await report(autoscaler, update());
    expect(asked.map(({ sequence, message }) => [sequence, message.kind])).toEqual([
      [1, 'loaded'],
      [2, 'update'],
    ]);
    expect(outcomes(autoscaler)).toEqual([
      [1, true],
      [2, true],
    ]);
  });

  it.each([500, 503, 404, 302])('status %i: answered so, and not counted', async (status) => {
    const autoscaler = await startAutoscaler({ fault: () => ({ kind: 'status', status }) });
    const answer = await report(autoscaler, loaded(), { redirect: 'manual' });
    expect([answer.status, answer.body]).toEqual([
      status,
      { error: 'fault', message: `The fault asked for status ${status}.` },
    ]);
    expect(outcomes(autoscaler)).toEqual([[1, false]]);
    expect(counted(autoscaler)).toEqual([]);
  });

  it('status 202: another 2xx is an acknowledgement as well', async () => {
    const autoscaler = await startAutoscaler({ fault: () => ({ kind: 'status', status: 202 }) });
    const answer = await report(autoscaler, loaded());
    expect([answer.status, answer.body]).toEqual([202, { ok: true }]);
    expect(outcomes(autoscaler)).toEqual([[1, true]]);
    expect(counted(autoscaler)).toEqual([1]);
  });

  it('hang: read, and never answered; not counted', async () => {
    const autoscaler = await startAutoscaler({ fault: () => ({ kind: 'hang' }) });
    const answer = exchange(autoscaler.port, rawReport(loaded()));
    await autoscaler.waitForMessage(({ kind }) => kind === 'loaded');
    expect(outcomes(autoscaler)).toEqual([[1, false]]);
    expect(counted(autoscaler)).toEqual([]);
    await autoscaler.stop();
    expect((await answer).received).toBe('');
  });

  it('reset: the connection is reset before a byte of an answer; not counted', async () => {
    const autoscaler = await startAutoscaler({ fault: () => ({ kind: 'reset' }) });
    const answer = await exchange(autoscaler.port, rawReport(loaded()));
    expect(answer).toEqual({ received: '', ended: 'ECONNRESET' });
    expect(outcomes(autoscaler)).toEqual([[1, false]]);
    expect(counted(autoscaler)).toEqual([]);
  });

  it('duplicate: counted twice, and answered once', async () => {
    const autoscaler = await startAutoscaler({ fault: () => ({ kind: 'duplicate' }) });
    const answer = await report(autoscaler, loaded());
    expect([answer.status, answer.body]).toEqual([200, { ok: true }]);
    expect(outcomes(autoscaler)).toEqual([[1, true]]);
    expect(counted(autoscaler)).toEqual([2]);
  });

  it('reorder: counted and answered after the next message', async () => {
    const autoscaler = await startAutoscaler({
      fault: ({ sequence }) => (sequence === 1 ? { kind: 'reorder' } : undefined),
    });
    const states: unknown[] = [];
    autoscaler.on('message', ({ sequence }) => states.push(sequence));
    const first = report(autoscaler, loaded());
    while (autoscaler.messages().length === 0) await new Promise(setImmediate);
    expect(counted(autoscaler)).toEqual([]);
    const second = await report(autoscaler, update());
    expect([(await first).status, second.status]).toEqual([200, 200]);
    expect(states).toEqual([2, 1]);
    expect(outcomes(autoscaler)).toEqual([
      [1, true],
      [2, true],
    ]);
    expect(counted(autoscaler)).toEqual([2]);
  });

  it('reorder: what its sender has given up arrives all the same, unacknowledged', async () => {
    const autoscaler = await startAutoscaler({
      fault: ({ sequence }) => (sequence === 1 ? { kind: 'reorder' } : undefined),
    });
    const leaving = new AbortController();
    const first = report(autoscaler, loaded(), { signal: leaving.signal });
    const settled = new Promise((resolve) => autoscaler.once('message', resolve));
    while (autoscaler.messages().length === 0) await new Promise(setImmediate);
    leaving.abort();
    await expect(first).rejects.toThrow();
    await settled;
    await report(autoscaler, update());
    expect(outcomes(autoscaler)).toEqual([
      [1, false],
      [2, true],
    ]);
    expect(counted(autoscaler)).toEqual([2]);
  });

  it('cut: the headers of a 200 and half a body; counted, and not acknowledged', async () => {
    const autoscaler = await startAutoscaler({ fault: () => ({ kind: 'cut' }) });
    const { received } = await exchange(autoscaler.port, rawReport(loaded()));
    const [head, body] = received.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(head).toMatch(/^content-length: 11$/im);
    expect(body).toBe('{"ok');
    expect(outcomes(autoscaler)).toEqual([[1, false]]);
    expect(counted(autoscaler)).toEqual([1]);
  });

  it('slow: counted at once, acknowledged when it is answered', async () => {
    const autoscaler = await startAutoscaler({ fault: () => ({ kind: 'slow', delayMs: 50 }) });
    const isCounted = new Promise<void>((resolve) => autoscaler.once('state', () => resolve()));
    const answer = report(autoscaler, loaded());
    await isCounted;
    expect(outcomes(autoscaler)).toEqual([[1, false]]);
    expect((await answer).status).toBe(200);
    expect(outcomes(autoscaler)).toEqual([[1, true]]);
    expect(counted(autoscaler)).toEqual([1]);
  });

  it('slow: not acknowledged when the worker left before the answer', async () => {
    const autoscaler = await startAutoscaler({ fault: () => ({ kind: 'slow', delayMs: 60_000 }) });
    const isCounted = new Promise<void>((resolve) => autoscaler.once('state', () => resolve()));
    const settled = new Promise((resolve) => autoscaler.once('message', resolve));
    const gone = new AbortController();
    const answer = report(autoscaler, loaded(), { signal: gone.signal });
    await isCounted;
    gone.abort();
    await expect(answer).rejects.toThrow('aborted');
    await expect(settled).resolves.toMatchObject({ sequence: 1, acknowledged: false });
    expect(counted(autoscaler)).toEqual([1]);
  });

  it('each message is told once, with its outcome', async () => {
    const faults: (Fault | undefined)[] = [
      undefined,
      { kind: 'status', status: 500 },
      { kind: 'slow', delayMs: 5 },
      { kind: 'cut' },
      { kind: 'reset' },
      undefined,
    ];
    const autoscaler = await startAutoscaler({ fault: ({ sequence }) => faults[sequence - 1] });
    const told: [number, boolean][] = [];
    autoscaler.on('message', ({ sequence, acknowledged }) => told.push([sequence, acknowledged]));
    for (const _ of faults) await exchangeOrReport(autoscaler);
    expect(told).toEqual([
      [1, true],
      [2, false],
      [3, true],
      [4, false],
      [5, false],
      [6, true],
    ]);
    expect(outcomes(autoscaler)).toEqual(told);
    expect(counted(autoscaler)).toEqual([4]);
  });

  it('a fault function that throws is told as 500 with its message, and counts nothing', async () => {
    const autoscaler = await startAutoscaler({
      fault: () => {
        throw new Error('no such fault');
      },
    });
    const answer = await report(autoscaler, loaded());
    expect([answer.status, answer.body]).toEqual([500, { error: 'backend_error', message: 'no such fault' }]);
    expect(outcomes(autoscaler)).toEqual([[1, false]]);
    expect(counted(autoscaler)).toEqual([]);
  });
});

/** A report whose connection may end in any way. */
async function exchangeOrReport(autoscaler: LocalAutoscaler): Promise<void> {
  await report(autoscaler, loaded(), {
    headers: { 'content-type': 'application/json', connection: 'close' },
  }).catch(() => {});
}
