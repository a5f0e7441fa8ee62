import type { Window } from '../../../machines/ledger.js';
import type { Dialect, ReportFacts, WireMessage } from '../dialect.js';
import { openLegacy } from './envelope.js';

/**
 * The dialect of the hello-autoscaler guide: the state and the work are separate messages. While the
 * backend loads, the state is a loading update; once it has loaded, one loaded message; while it is
 * failing, an error message that is repeated. The work is an update.
 */
export const legacy: Dialect = {
  plan: {
    covers: { state: ['state'], work: ['work'] },
    onEnter: { loading: ['state'], loaded: ['state', 'work'], failing: ['state', 'work'] },
    heartbeat: { loading: ['state'], loaded: ['work'], failing: ['state', 'work'] },
  },
  settleMs: null,
  tellsRequests: false,
  openEnvelope: openLegacy,
  accounts(kind, status) {
    if (kind === 'work') return ['requests', 'received', 'served', 'errored', 'cancelled'];
    return status.phase === 'loading' ? ['diskGib'] : [];
  },
  encode(kind, facts) {
    if (kind === 'work') return update(facts);
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

function update({ id, mtoken, window }: ReportFacts): WireMessage {
  return {
    name: 'update',
    body: {
      id,
      mtoken,
      cur_load: (window.work.received ?? 0) / seconds(window),
      num_requests_recieved: window.upTo.requests ?? 0,
    },
  };
}

function error({ id, mtoken, status }: ReportFacts): WireMessage {
  return { name: 'error', body: { id, mtoken, error_msg: status.errorMessage } };
}

/** The length of the window, at least a millisecond, so that the rate stays finite. */
function seconds({ cutAtMs, sinceMs }: Window): number {
  return Math.max(cutAtMs - (sinceMs.received ?? cutAtMs), 1) / 1000;
}
