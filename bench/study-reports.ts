import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { outage } from './reports/outage.js';
import { pageOf, type Row, SCENARIOS, tableOf } from './reports/page.js';
import { countOf, tellProgress } from './support/options.js';

/**
 * Many workers report to one autoscaler, which goes away and comes back, with the jitter of the back-off and without:
 * the reporter of every worker, in virtual time. With the usual figures it writes docs/study-reports.md.
 *
 *   npm run study [-- --workers 1000] [--outage 120] [--seed 1]
 */
const USUAL = { workers: '10000', outage: '120', seed: '1' } as const;

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: USUAL.workers },
    outage: { type: 'string', default: USUAL.outage },
    seed: { type: 'string', default: USUAL.seed },
  },
});
const workers = countOf('workers', values.workers, 10);
const outageSeconds = countOf('outage', values.outage);
const seed = countOf('seed', values.seed, 0);

const rows = SCENARIOS.flatMap((scenario): Row[] =>
  [true, false].map((hasJitter) => {
    tellProgress(`${scenario.fleet}, ${scenario.away}, ${hasJitter ? 'with' : 'without'} jitter …`);
    const perSecond = (scenario.perSecond * workers) / 10_000;
    const figures = outage({
      ...scenario,
      hasJitter,
      workers,
      perSecond,
      outageMs: outageSeconds * 1_000,
      seed,
    });
    return { scenario, hasJitter, figures };
  }),
);
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
const isUsual = Object.entries(USUAL).every(([name, value]) => values[name as keyof typeof USUAL] === value);
if (isUsual) writeFileSync(new URL('../docs/study-reports.md', import.meta.url), pageOf(rows));
console.log(tableOf(rows));
