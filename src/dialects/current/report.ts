import type { Dialect, ReportFacts, WireMessage } from '../dialect.js';
import { openCurrent } from './envelope.js';

/** The version of the reference whose wire this is. */
const WIRE_VERSION = '1.1.0';

/**
 * The dialect of the production autoscaler: each message is a status that tells everything, at once when the
 * state has changed, a second after the work has, and at least at every heartbeat.
 */
export const current: Dialect = {
  plan: {
    covers: { state: ['state', 'work'], capacity: [], work: ['state', 'work'] },
    onEnter: { loading: ['state'], loaded: ['state'], failing: ['state'] },
    heartbeat: { loading: ['state'], loaded: ['work'], failing: ['work'] },
  },
  settleMs: 1_000,
  tellsRequests: true,
  openEnvelope: openCurrent,
  accounts: () => ['requests', 'load', 'rejected', 'served', 'diskGib'],
  encode: (_kind, facts) => statusOf(facts),
};

function statusOf({ id, mtoken, url, status, window, present }: ReportFacts): WireMessage {
  const told = {
    loadtime: status.loadTimeSeconds,
    new_load: window.work.load ?? 0,
    cur_load: present.load,
    rej_load: window.work.rejected ?? 0,
    max_perf: status.maxPerf,
    cur_perf: window.work.served ?? 0,
    error_msg: status.errorMessage,
    num_requests_working: present.requests,
    num_requests_recieved: window.upTo.requests ?? 0,
  };
  return {
    name: 'status',
    body: {
      id,
      mtoken,
      version: WIRE_VERSION,
      ...told,
      additional_disk_usage: window.work.diskGib ?? 0,
      working_request_idxs: present.requestIdxs,
      cur_capacity: 0,
      max_capacity: 0,
      url,
    },
    shown: told,
  };
}
