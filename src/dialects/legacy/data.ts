import type { Dialect, ReportFacts, WireMessage } from '../dialect.js';
import { legacy, secondsOf, update } from './report.js';

/** Whether a backend tells the work that came in as a sum, or as a rate per second. */
export type LoadForm = 'sum' | 'rate';

/** What of it depends on the model server. */
export interface LegacyForm {
  readonly loadForm: LoadForm;
  /** Whether its batch capacity is told, in a message of its own. */
  readonly tellsCapacity: boolean;
}

/**
 * The legacy dialect of a worker with a model server: once it has loaded its work is told with a data update,
 * on change and at every heartbeat, which says again how it has loaded. While it has not, or is failing, an update
 * tells what came in; what was served has no place there, and waits for the next data update.
 */
export function legacyWithModel({ loadForm, tellsCapacity }: LegacyForm): Dialect {
  const { plan } = legacy;
  return {
    ...legacy,
    plan: tellsCapacity ? { ...plan, covers: { ...plan.covers, capacity: ['capacity'] } } : plan,
    settleMs: 1_000,
    accounts(kind, status) {
      if (kind !== 'work') return legacy.accounts(kind, status);
      return status.phase === 'loaded' ? ['requests', 'load', 'served'] : ['requests', 'load'];
    },
    encode(kind, facts) {
      if (kind !== 'work') return legacy.encode(kind, facts);
      return facts.status.phase === 'loaded' ? dataUpdate(facts, loadForm) : update(facts, 'load');
    },
  };
}

function dataUpdate(
  { id, mtoken, url, status, window, present, observed }: ReportFacts,
  form: LoadForm,
): WireMessage {
  const load = window.work.load ?? 0;
  const seconds = secondsOf(window, 'load');
  const told = {
    message: 'data update',
    num_requests_working: present.requests,
    overloaded: false,
    num_requests_recieved: window.upTo.requests ?? 0,
    cur_perf: (window.work.served ?? 0) / seconds,
    error: '',
    loadtime: status.loadTimeSeconds,
    max_perf: status.maxPerf,
    cur_load: form === 'sum' ? load : load / seconds,
    cur_capacity: 0,
    max_capacity: observed.capacity.maxCapacity,
    curr_tokens_per_second: observed.tokensPerSecond,
    url,
  };
  return { name: 'data', body: { id, mtoken, ...told } };
}
