import type { Account, Window } from '../../../machines/ledger.js';
import type { Dialect, ReportFacts, WireMessage } from '../dialect.js';
import { openLegacy } from './envelope.js';

/**
 * The dialect of the hello-autoscaler guide: the state and the work are separate messages. While the
 * backend loads, the state is a loading update; once it has loaded, one loaded message; while it is
 * failing, an error message that is repeated. The work is an update. The batch capacity of a model server is not
 * told unless a plan says so.
 */
export const legacy: Dialect = {
  plan: {
    covers: { state: ['state'], capacity: [], work: ['work'] },
    onEnter: { loading: ['state'], loaded: ['state', 'work'], failing: ['state', 'work'] },
    heartbeat: { loading: ['state'], loaded: ['work'], failing: ['state', 'work'] },
  },
  settleMs: null,
  tellsRequests: false,
  openEnvelope: openLegacy,
  accounts(kind, status) {
    if (kind === 'work') return ['requests', 'received', 'served', 'errored', 'cancelled'];
    return kind === 'state' && status.phase === 'loading' ? ['diskGib'] : [];
  },
  encode(kind, facts) {
    if (kind === 'work') return update(facts);
    if (kind === 'capacity') return capacity(facts);
    return { loading, loaded, failing: error }[facts.status.phase](facts);
  },
};

function loading({ id, mtoken, window }: ReportFacts): WireMessage {
  return {
    name: 'loading',
    body: {
      id,
      mtoken,
      message: 'loading update',
      disk_usage: window.upTo.diskGib ?? 0,
      additional_disk_usage: window.work.diskGib ?? 0,
    },
  };
}

function loaded({ id, mtoken, status }: ReportFacts): WireMessage {
  return {
    name: 'loaded',
    body: { id, mtoken, loadtime: status.loadTimeSeconds, max_perf: status.maxPerf },
  };
}

/** The work that came in as a rate, of the account that the window tells it by. */
export function update(
  { id, mtoken, window }: ReportFacts,
  account: 'received' | 'load' = 'received',
): WireMessage {
  return {
    name: 'update',
    body: {
      id,
      mtoken,
      cur_load: (window.work[account] ?? 0) / secondsOf(window, account),
      num_requests_recieved: window.upTo.requests ?? 0,
    },
  };
}

function capacity({ id, mtoken, observed }: ReportFacts): WireMessage {
  const { maxBatchPrefillTokens, maxBatchTokens, maxCapacity } = observed.capacity;
  return {
    name: 'capacity',
    body: {
      id,
      mtoken,
      max_batch_prefill_tokens: maxBatchPrefillTokens,
      max_batch_tokens: maxBatchTokens,
      max_capacity: maxCapacity,
    },
  };
}

function error({ id, mtoken, status }: ReportFacts): WireMessage {
  return { name: 'error', body: { id, mtoken, error_msg: status.errorMessage } };
}

/** How long a window is for one of its accounts, at least a millisecond, so that a rate stays finite. */
export function secondsOf({ cutAtMs, sinceMs }: Window, account: Account): number {
  return Math.max(cutAtMs - (sinceMs[account] ?? cutAtMs), 1) / 1000;
}
