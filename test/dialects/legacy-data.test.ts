import { describe, expect, it } from 'vitest';
import { acknowledge, cut, openLedger, record } from '../../machines/ledger.js';
import type { ReportKind, WorkerStatus } from '../../machines/reports.js';
import { dialectFor } from '../../src/dialects/index.js';
import { legacyWithModel } from '../../src/dialects/legacy/data.js';
import { decodeLegacy } from '../../src/dialects/legacy/decode.js';
import { legacy } from '../../src/dialects/legacy/report.js';
import { FAILING, LOADED, LOADING } from '../support/machines/reporter.js';

/** A first window of 2 s was acknowledged; this is what came in the 4 s since. */
const first = record(openLedger(0), { requests: 4, received: 40, load: 40, served: 20 });
const ledger = record(acknowledge(first, cut(first, ['requests', 'load', 'served'], 2_000)), {
  requests: 3,
  received: 100,
  load: 80,
  served: 10,
  cancelled: 20,
});

function facts(kind: ReportKind, status: WorkerStatus, form: 'sum' | 'rate', cutAtMs = 6_000) {
  return {
    id: 7,
    mtoken: 'the-master-token',
    url: 'http://203.0.113.7:41234',
    status,
    window: cut(
      ledger,
      legacyWithModel({ loadForm: form, tellsCapacity: true }).accounts(kind, status),
      cutAtMs,
    ),
    present: { load: 42, requests: 3, requestIdxs: [] },
    observed: {
      tokensPerSecond: 5,
      capacity: { maxBatchPrefillTokens: 4_096, maxBatchTokens: 16_000, maxCapacity: 6 },
    },
  };
}

const DATA = {
  id: 7,
  mtoken: 'the-master-token',
  message: 'data update',
  num_requests_working: 3,
  overloaded: false,
  num_requests_recieved: 7,
  cur_perf: 2.5,
  error: '',
  loadtime: 2,
  max_perf: 5,
  cur_load: 80,
  cur_capacity: 0,
  max_capacity: 6,
  curr_tokens_per_second: 5,
  url: 'http://203.0.113.7:41234',
};

describe('a data update', () => {
  it.each([
    ['sum', 80],
    ['rate', 20],
  ] as const)('tells the load as a %s, and all else alike', (form, curLoad) => {
    const told = legacyWithModel({ loadForm: form, tellsCapacity: true }).encode(
      'work',
      facts('work', LOADED, form),
    );
    expect(told).toEqual({ name: 'data', body: { ...DATA, cur_load: curLoad } });
  });

  it('has finite rates although no time has passed', () => {
    const { body } = legacyWithModel({ loadForm: 'rate', tellsCapacity: true }).encode(
      'work',
      facts('work', LOADED, 'rate', 2_000),
    );
    expect([body.cur_load, body.cur_perf]).toEqual([80_000, 10_000]);
  });

  it.each<[ReportKind, WorkerStatus]>([
    ['state', LOADING],
    ['state', LOADED],
    ['state', FAILING],
  ])('is not what tells the %s of a worker that is %o: that is as without a model server', (kind, status) => {
    const told = facts(kind, status, 'sum');
    expect(legacyWithModel({ loadForm: 'sum', tellsCapacity: true }).encode(kind, told)).toEqual(
      legacy.encode(kind, told),
    );
  });

  it.each([LOADING, FAILING])(
    'is not what tells the work of a worker that is %o: an update does, and settles what it tells alone',
    (status) => {
      const told = facts('work', status, 'sum');
      expect(told.window.work).toEqual({ requests: 3, load: 80 });
      expect(legacyWithModel({ loadForm: 'sum', tellsCapacity: true }).encode('work', told)).toEqual({
        name: 'update',
        body: { id: 7, mtoken: 'the-master-token', cur_load: 20, num_requests_recieved: 7 },
      });
    },
  );

  it('is due a second after the work has changed, and as an update is', () => {
    const { settleMs, plan, tellsRequests } = legacyWithModel({ loadForm: 'sum', tellsCapacity: false });
    expect([settleMs, plan, tellsRequests]).toEqual([1_000, legacy.plan, false]);
  });
});

describe('the batch capacity', () => {
  const dialect = legacyWithModel({ loadForm: 'sum', tellsCapacity: true });

  it.each([LOADING, LOADED, FAILING])(
    'is a message of its own, that tells and settles no work, also of a worker that is %o',
    (status) => {
      const told = facts('capacity', status, 'sum');
      expect(told.window.upTo).toEqual({});
      expect(dialect.encode('capacity', told)).toEqual({
        name: 'capacity',
        body: {
          id: 7,
          mtoken: 'the-master-token',
          max_batch_prefill_tokens: 4_096,
          max_batch_tokens: 16_000,
          max_capacity: 6,
        },
      });
    },
  );

  it('is read by an autoscaler as what it is', () => {
    const { body } = dialect.encode('capacity', facts('capacity', LOADED, 'sum'));
    expect(decodeLegacy(body)).toEqual({
      ok: true,
      message: { ...body, dialect: 'legacy', kind: 'capacity' },
    });
  });

  it('is due by the plan of a model server that tells it, and by no other', () => {
    const covers = { state: ['state'], capacity: ['capacity'], work: ['work'] };
    expect(dialect.plan).toEqual({ ...legacy.plan, covers });
    expect(legacy.plan.covers).toEqual({ ...covers, capacity: [] });
  });
});

it('the dialect is chosen by its name, and by whether there is a model server', () => {
  const choose = (name: 'legacy' | 'current', hasModel: boolean) =>
    dialectFor({ name, hasModel, loadForm: 'sum', tellsCapacity: true });
  expect(choose('legacy', false)).toBe(legacy);
  expect(choose('legacy', true).settleMs).toBe(1_000);
  expect(choose('legacy', true).plan.covers.capacity).toEqual(['capacity']);
  expect(choose('current', false)).toBe(choose('current', true));
  expect(choose('current', true).tellsRequests).toBe(true);
});
