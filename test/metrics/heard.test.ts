import { expect, it } from 'vitest';
import { ModelTally, ReportTally } from '../../src/metrics/heard.js';

const attempt = {
  kind: 'work',
  address: 'http://a',
  status: { phase: 'loaded', loadTimeSeconds: 0, maxPerf: 0, errorMessage: '' },
} as const;
const window = { basis: 0, cutAtMs: 0, work: {}, upTo: {}, sinceMs: {} };

it('counts attempts and failures to report, and remembers when the last was acknowledged', () => {
  const tally = new ReportTally(5);
  tally.hear({ type: 'report.failed', attempt, error: new Error('no') }, 10);
  tally.hear({ type: 'outage.began', error: new Error('no') }, 10);
  expect({ ...tally }).toEqual({ attempts: 1, failures: 1, acknowledgedAtMs: 5 });
  const delivery = { window, name: 'status', shown: {}, tookMs: 1 };
  tally.hear({ type: 'report.delivered', attempt, delivery }, 20);
  expect({ ...tally }).toEqual({ attempts: 2, failures: 1, acknowledgedAtMs: 20 });
});

it('counts the restarts, deaths, strikes and stalls of the model server', () => {
  const tally = new ModelTally();
  tally.hear({ type: 'model.started', restarts: 0 });
  tally.hear({ type: 'model.died', reason: 'it was killed', crashes: 1, lastLines: [] });
  tally.hear({ type: 'model.started', restarts: 1 });
  tally.hear({ type: 'health.strike', strikes: 1, reason: 'it did not answer' });
  tally.hear({ type: 'health.strike', strikes: 2, reason: 'it did not answer' });
  tally.hear({ type: 'model.stalled', quietMs: 1 });
  expect({ ...tally }).toEqual({ restarts: 1, deaths: 1, strikes: 2, stalls: 1 });
});
