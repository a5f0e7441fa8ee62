import { describe, expect, it } from 'vitest';
import type { CompletionsEmitted } from '../../machines/completions.js';
import type { PublicKeyEmitted } from '../../machines/public-key.js';
import { Bus, type ModelEvent } from '../../src/bus.js';
import { narrate } from '../../src/narrator.js';
import { RecordingLog } from '../../src/testing/recording-log.js';

function narrator() {
  const log = new RecordingLog();
  const bus = new Bus(() => {});
  narrate(bus, log, () => 0);
  return { log, bus };
}

describe('each thing that happens to the model is one line', () => {
  it.each<[event: ModelEvent, level: string, message: string]>([
    [{ type: 'waiting', waitingFor: 'its log' }, 'info', 'waiting for its log'],
    [{ type: 'benchmark.reused', maxPerf: 1234.567 }, 'info', 'the benchmark was run before: 1235 units/s'],
    [
      { type: 'benchmark.waits', reason: 'it loads', at: '' },
      'info',
      'the model does not take requests yet: it loads',
    ],
    [
      { type: 'benchmark.waits', reason: 'it loads', at: 'http://model:8000' },
      'info',
      'the model at http://model:8000 does not take requests yet: it loads',
    ],
    [{ type: 'benchmark.began' }, 'info', 'the benchmark begins'],
    [
      { type: 'model.stalled', quietMs: 600_400 },
      'warn',
      'the model server has sent nothing for 600 s although requests wait for it',
    ],
    [{ type: 'benchmark.saved', maxPerf: 1 / 3 }, 'info', 'the benchmark is over: 0.3333 units/s'],
    [
      { type: 'benchmark.failed', reason: 'status 500', retryMs: 4_000 },
      'warn',
      'the benchmark is tried again in 4 s: status 500',
    ],
    [
      { type: 'benchmark.unsaved', maxPerf: 2, reason: 'disk full' },
      'warn',
      'the benchmark is over: 2 units/s, but it could not be saved: disk full',
    ],
    [
      { type: 'health.strike', strikes: 2, reason: 'status 500' },
      'warn',
      'the model server is not well (strike 2): status 500',
    ],
    [{ type: 'health.unwell', reason: 'refused' }, 'info', 'the model server is not well yet: refused'],
    [{ type: 'health.busy', reason: 'no answer' }, 'debug', 'the model server is busy: no answer'],
  ])('$type', (event, level, message) => {
    const { log, bus } = narrator();
    bus.emit('model', event);
    const { type, ...fields } = event;
    expect(log.lines).toEqual([{ level, message, fields: { event: type, ...fields } }]);
  });
});

describe('each thing that happens to finished requests is one line', () => {
  it.each<[event: CompletionsEmitted, level: string, message: string]>([
    [
      { type: 'completions.delivered', address: 'http://a', count: 3, tookMs: 1 },
      'debug',
      'told that 3 requests have finished',
    ],
    [
      { type: 'completions.failed', address: 'http://a', count: 3, error: new Error('refused') },
      'debug',
      'finished requests were not taken by http://a: refused',
    ],
    [
      { type: 'completions.outage.began', error: new Error('refused') },
      'warn',
      'no autoscaler takes finished requests (refused); they are kept and tried again',
    ],
    [
      { type: 'completions.outage.ended', address: 'http://a', failedAttempts: 3 },
      'info',
      'http://a takes finished requests again',
    ],
    [
      { type: 'completions.dropped', total: 8 },
      'error',
      'too many finished requests wait to be told: 8 have been given up so far',
    ],
    [
      { type: 'completions.refused', requestIdx: 7, address: 'http://a', total: 9 },
      'error',
      'that request 7 has finished is refused by http://a, even alone: 9 have been given up so far',
    ],
  ])('$type', (event, level, message) => {
    const { log, bus } = narrator();
    bus.emit('completions', event);
    expect(log.lines).toEqual([{ level, message, fields: expect.objectContaining({ event: event.type }) }]);
  });
});

describe('each thing that happens to the public key is one line', () => {
  it.each<[event: PublicKeyEmitted, level: string, message: string]>([
    [{ type: 'key.held', pem: 'PEM' }, 'info', "the autoscaler's public key is there"],
    [{ type: 'key.late', reason: 'no key yet' }, 'warn', 'no key yet'],
    [
      { type: 'key.fetch.failed', address: 'http://a', error: new Error('status 500') },
      'debug',
      'no public key from http://a: status 500',
    ],
  ])('$type', (event, level, message) => {
    const { log, bus } = narrator();
    bus.emit('key', event);
    expect(log.lines).toEqual([{ level, message, fields: expect.objectContaining({ event: event.type }) }]);
    expect(log.text).not.toContain('PEM');
  });
});
