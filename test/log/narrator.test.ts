import { describe, expect, it, onTestFinished } from 'vitest';
import helloautoscaler from '../../backends/helloautoscaler.js';
import type { Attempt, Delivery, ReporterEmitted } from '../../machines/reports.js';
import { LocalAutoscaler } from '../../src/autoscaler/index.js';
import { Bus } from '../../src/bus.js';
import { narrate } from '../../src/narrator.js';
import { RecordingLog } from '../../src/testing/recording-log.js';
import { makeWorker, next, typesOf, untilState } from '../support/worker.js';

function narrator() {
  const log = new RecordingLog();
  const bus = new Bus(() => {});
  const clock = { ms: 0 };
  narrate(bus, log, () => clock.ms);
  return { log, bus, clock };
}

const ATTEMPT: Attempt = {
  kind: 'work',
  address: 'http://a',
  status: { phase: 'loaded', loadTimeSeconds: 1, maxPerf: 1, errorMessage: '' },
};
const DELIVERY: Delivery = {
  name: 'update',
  shown: { id: 7, cur_load: 1 / 3, num_requests_recieved: 1234567, error_msg: 'no "GPU"' },
  tookMs: 12.3,
  window: { basis: 0, cutAtMs: 0, work: {}, upTo: {}, sinceMs: {} },
};

describe('each thing that happens is one line', () => {
  it.each([
    ['serving', 'info'],
    ['failing', 'error'],
    ['stopped', 'info'],
  ] as const)('the state %s', (state, level) => {
    const { log, bus } = narrator();
    bus.emit('lifecycle', { type: 'state.entered', state, reason: 'so it is' });
    expect(log.lines).toEqual([
      { level, message: `${state}: so it is`, fields: { event: 'state.entered', state, reason: 'so it is' } },
    ]);
  });

  it.each<[event: ReporterEmitted, level: string, message: string]>([
    [
      { type: 'report.delivered', attempt: ATTEMPT, delivery: DELIVERY },
      'info',
      'report update delivered: cur_load 0.3333, num_requests_recieved 1235000, error_msg "no \\"GPU\\""',
    ],
    [
      { type: 'report.failed', attempt: ATTEMPT, error: new Error('refused') },
      'debug',
      'report to http://a failed: refused',
    ],
    [
      { type: 'outage.began', error: Object.assign(new Error(''), { code: 'ECONNREFUSED' }) },
      'warn',
      'no autoscaler takes reports (ECONNREFUSED); nothing is lost, and it is tried until one does',
    ],
    [
      { type: 'outage.ended', address: 'http://a', failedAttempts: 30 },
      'info',
      'http://a takes reports again, after 61 s and 30 failed attempts',
    ],
    [
      { type: 'address.changed', from: 'http://a', to: 'http://b' },
      'warn',
      'reports go to http://b now, since http://a did not take them',
    ],
  ])('$type', (event, level, message) => {
    const { log, bus, clock } = narrator();
    clock.ms = 61_234;
    bus.emit('report', event);
    expect(log.lines).toEqual([{ level, message, fields: expect.objectContaining({ event: event.type }) }]);
  });
});

it('an autoscaler that is away for many attempts makes one line when it goes, and one when it is back', async () => {
  const autoscaler = new LocalAutoscaler({ port: 0 });
  await autoscaler.start();
  onTestFinished(() => autoscaler.stop());
  const { worker, log } = makeWorker(helloautoscaler, {
    REPORT_ADDR: autoscaler.url,
    TSWORKER_REPORT_INTERVAL: '10ms',
    TSWORKER_REPORT_MAX_BACKOFF: '1ms',
    TSWORKER_DRAIN_TIMEOUT: '5s',
  });
  const reports: ReporterEmitted[] = [];
  worker.bus.on('report', (event) => void reports.push(event));
  await worker.start();
  await untilState(worker, 'serving');
  await autoscaler.stop();
  let failures = 0;
  await next(worker, 'report', ({ type }) => type === 'report.failed' && ++failures === 50);
  const back = next(worker, 'report', ({ type }) => type === 'outage.ended');
  await autoscaler.start();
  await back;
  expect(await worker.stop('the test says so')).toBe('clean');

  const failed = typesOf(reports).filter((type) => type === 'report.failed').length;
  expect(failed).toBeGreaterThanOrEqual(50);
  const told = log.lines.filter(
    ({ level, fields }) => level !== 'debug' && fields.event !== 'report.delivered',
  );
  expect(told.map(({ message }) => message.replace(/after \d s and \d+/, 'after S s and N'))).toEqual([
    'loading: the worker has started',
    'loaded: the backend has loaded',
    'serving: the autoscaler knows that it has loaded',
    expect.stringMatching(
      /^no autoscaler takes reports \(.+\); nothing is lost, and it is tried until one does$/,
    ),
    `${autoscaler.url} takes reports again, after S s and N failed attempts`,
    'draining: the test says so',
    'stopped: everything is finished and reported',
  ]);
  expect(log.about('outage.ended').map(({ fields }) => fields.failedAttempts)).toEqual([failed]);
  expect(log.about('report.delivered').length).toBe(
    typesOf(reports).filter((type) => type === 'report.delivered').length,
  );
});
