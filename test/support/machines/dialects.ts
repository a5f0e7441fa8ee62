import { ACCOUNTS } from '../../../machines/ledger.js';
import type { ReportKind } from '../../../machines/reports.js';
import type { Dialect } from '../../../src/dialects/dialect.js';
import { legacyWithModel } from '../../../src/dialects/legacy/data.js';
import { legacy } from '../../../src/dialects/legacy/report.js';

const ALL: readonly ReportKind[] = ['state', 'capacity', 'work'];

/** A dialect in which each message tells everything. */
export const everything: Dialect = {
  ...legacy,
  plan: {
    covers: { state: ALL, capacity: ALL, work: ALL },
    onEnter: { loading: [], loaded: ['state'], failing: ['state'] },
    heartbeat: { loading: ['state'], loaded: ['work'], failing: ['work'] },
  },
  accounts: () => ACCOUNTS,
};

/** The legacy dialect with a message for the batch capacity. Its work is told as without a model server. */
export const withCapacity: Dialect = {
  ...legacy,
  plan: legacyWithModel({ loadForm: 'sum', tellsCapacity: true }).plan,
};
