import { describe, expect, it } from 'vitest';
import { cut, openLedger, record, recordDisk } from '../../machines/ledger.js';
import type { WorkerStatus } from '../../machines/reports.js';
import { decodeCurrent } from '../../src/dialects/current/decode.js';
import { current } from '../../src/dialects/current/report.js';
import { FAILING, LOADED, LOADING } from '../support/machines/reporter.js';

const full = record(recordDisk(recordDisk(openLedger(0), 100), 101.5), {
  requests: 9,
  received: 60,
  load: 50,
  served: 30,
  errored: 8,
  cancelled: 10,
  rejected: 12,
});

function message(status: WorkerStatus, kind: 'state' | 'work' = 'work', ledger = full) {
  return current.encode(kind, {
    id: 7,
    mtoken: 'the-master-token',
    url: 'http://203.0.113.7:41234',
    status,
    window: cut(ledger, current.accounts(kind, status), 5_000),
    present: { load: 42, requests: 3, requestIdxs: [1001, 1002, 1001] },
    observed: {
      tokensPerSecond: 5,
      capacity: { maxBatchPrefillTokens: 7, maxBatchTokens: 6, maxCapacity: 6 },
    },
  });
}

const STATUS = {
  id: 7,
  mtoken: 'the-master-token',
  version: '1.1.0',
  loadtime: 2,
  new_load: 50,
  cur_load: 42,
  rej_load: 12,
  max_perf: 5,
  cur_perf: 30,
  error_msg: '',
  num_requests_working: 3,
  num_requests_recieved: 9,
  additional_disk_usage: 1.5,
  working_request_idxs: [1001, 1002, 1001],
  cur_capacity: 0,
  max_capacity: 0,
  url: 'http://203.0.113.7:41234',
};

describe('a status of the current dialect', () => {
  it.each([
    ['loaded', LOADED, {}],
    ['loading', LOADING, { loadtime: 0, max_perf: 0 }],
    [
      'loading, in trouble',
      { ...LOADING, errorMessage: 'no key' },
      { loadtime: 0, max_perf: 0, error_msg: 'no key' },
    ],
    ['failing after a load', FAILING, { error_msg: 'out of memory' }],
  ] as const)('tells everything while the worker is %s, whatever is due', (_, status, differs) => {
    for (const kind of ['state', 'work'] as const) {
      const { name, body } = message(status, kind);
      expect([name, body]).toEqual(['status', { ...STATUS, ...differs }]);
    }
  });

  it('tells nothing of a worker that has done nothing', () => {
    const nothing = {
      new_load: 0,
      rej_load: 0,
      cur_perf: 0,
      num_requests_recieved: 0,
      additional_disk_usage: 0,
    };
    expect(message(LOADED, 'work', openLedger(0)).body).toEqual({ ...STATUS, ...nothing });
  });

  it('never tells less than nothing of new load', () => {
    const deficit = record(full, { load: -60 });
    expect(message(LOADED, 'work', deficit).body).toEqual({ ...STATUS, new_load: 0 });
  });

  it('is understood by the autoscaler, as JSON brings it', () => {
    for (const status of [LOADING, LOADED, FAILING]) {
      const decoded = decodeCurrent(JSON.parse(JSON.stringify(message(status).body)));
      expect(decoded).toMatchObject({ ok: true });
    }
  });

  it('shows no secret, and no list that may be long', () => {
    const { mtoken: _secret, id: _id, version: _version, ...rest } = STATUS;
    const { working_request_idxs: _idxs, additional_disk_usage: _disk, url: _url, ...told } = rest;
    const { cur_capacity: _current, max_capacity: _most, ...shown } = told;
    expect(message(LOADED).shown).toEqual(shown);
  });

  it('is due at once when the state changes, a second after the work has changed, and at each heartbeat', () => {
    expect([current.plan, current.settleMs, current.tellsRequests]).toEqual([
      {
        covers: { state: ['state', 'work'], capacity: [], work: ['state', 'work'] },
        onEnter: { loading: ['state'], loaded: ['state'], failing: ['state'] },
        heartbeat: { loading: ['state'], loaded: ['work'], failing: ['work'] },
      },
      1_000,
      true,
    ]);
  });
});
