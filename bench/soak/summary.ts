import type { Totals } from '../../machines/ledger.js';
import type { Told } from './books.js';
import { GROWING, type Growing, type Samples, worstLagMs } from './sample.js';
import type { Scene } from './spell.js';
import type { Check } from './verdict.js';

/** Says at the end how it went. reported: what the worker knows to be acknowledged. */
export function tellSummary(scene: Scene, samples: Samples, reported: Totals): void {
  const { stage, clients, books, survived } = scene;
  tell('What clients saw', { requests: books.requests, ...clients.counts });
  tell('What the autoscaler was told of them', { ...books.finished, 'told again': books.repeated });
  console.log('\nUnits of work, and requests, in all');
  console.table({
    'seen by clients': books.expected(),
    'acknowledged, as the worker knows': knownTo(reported),
    'acknowledged by the autoscaler': books.told,
  });
  tell('Faults survived', survived);
  tell('Restarts of the model server, by cause', stage.restarts);
  console.log(`\nWorst event-loop lag: ${worstLagMs(samples).toFixed(0)} ms`);
  console.log('\nWhat the worker holds: in rests, and at most between them');
  console.table(Object.fromEntries(growing().map(([what, name]) => [name, rowOf(what, samples)])));
}

export function tellChecks(checks: readonly Check[]): void {
  for (const { name, isMet, found } of checks)
    console.log(`${isMet ? 'met    ' : 'NOT MET'}  ${name}: ${found}`);
}

function knownTo({ load, rejected, served, requests }: Totals): Told {
  return { newLoad: load, rejected, served, received: requests };
}

function growing() {
  return Object.entries(GROWING) as [Growing, string][];
}

function rowOf(what: Growing, { start, quiet, busy }: Samples) {
  const of = (values: readonly number[]) => Number(Math.max(...values).toFixed(1));
  return {
    'at start': of([start[what]]),
    'first rest': of([quiet[0]?.[what] ?? Number.NaN]),
    most: of(busy.map((sample) => sample[what])),
    'at the end': of([quiet.at(-1)?.[what] ?? Number.NaN]),
  };
}

function tell(title: string, values: Readonly<Record<string, number>>): void {
  console.log(`\n${title}`);
  console.table(values);
}
