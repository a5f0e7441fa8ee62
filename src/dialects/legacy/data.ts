import type { Window } from '../../../machines/ledger.js';
import type { Dialect, ReportFacts, WireMessage } from '../dialect.js';
import { legacy } from './report.js';

/** Whether a backend tells the work that came in as a sum, or as a rate per second. */
export type LoadForm = 'sum' | 'rate';

/**
 * The legacy dialect of a worker with a model server: once it has loaded its work is told with a data update,
 * on change and at every heartbeat, which says again how it has loaded.
 */
export function legacyWithModel(form: LoadForm): Dialect {
  return {
    ...legacy,
    settleMs: 1_000,
    accounts: (kind, status) =>
      kind === 'work' ? ['requests', 'load', 'served'] : legacy.accounts(kind, status),
    encode: (kind, facts) =>
      kind === 'work' && facts.status.phase === 'loaded'
        ? dataUpdate(facts, form)
        : legacy.encode(kind, facts),
  };
}

function dataUpdate(
  { id, mtoken, url, status, window, present, observed }: ReportFacts,
  form: LoadForm,
): WireMessage {
  const told = {
    message: 'data update',
    num_requests_working: present.requests,
    overloaded: false,
    num_requests_recieved: window.upTo.requests ?? 0,
    cur_perf: (window.work.served ?? 0) / seconds(window),
    error: '',
    loadtime: status.loadTimeSeconds,
    max_perf: status.maxPerf,
    cur_load: form === 'sum' ? (window.work.load ?? 0) : (window.work.load ?? 0) / seconds(window),
    cur_capacity: 0,
    max_capacity: observed.maxBatchTokens,
    curr_tokens_per_second: observed.tokensPerSecond,
    url,
  };
  return { name: 'data', body: { id, mtoken, ...told } };
}

/** The length of the window, at least a millisecond, so that a rate stays finite. */
function seconds({ cutAtMs, sinceMs }: Window): number {
  return Math.max(cutAtMs - (sinceMs.load ?? cutAtMs), 1) / 1000;
}
