import { count, figure, percent, span } from '../report-page/words.js';
import type { Outcome, Run } from './outcome.js';
import { PHASES } from './tally.js';

/** Whatever is not inactive is paid for as a worker. */
const ACTIVE = PHASES.filter((phase) => phase !== 'inactive');

/** A row: what it is about, and what to say of a run. */
export type Row = readonly [about: string, of: (run: Run) => string];

/** What is told of runs, part by part. */
export const PARTS: readonly (readonly [title: string, rows: readonly Row[]])[] = [
  [
    'requests',
    [
      ['arrived', ({ totals }) => count(totals.requests.arrived)],
      ['served', ({ totals }) => count(totals.requests.served)],
      ['refused', ({ totals }) => withShare(totals.requests.refused, totals.requests.arrived)],
      ['under way at the end', ({ totals }) => count(totals.requests.underWay)],
      ['waiting at the end', ({ totals }) => count(totals.requests.waiting)],
    ],
  ],
  [
    'queue time',
    [
      ['p50', ({ totals }) => span(totals.queueMs.p50)],
      ['p90', ({ totals }) => span(totals.queueMs.p90)],
      ['p99', ({ totals }) => span(totals.queueMs.p99)],
      ['max', ({ totals }) => span(totals.queueMs.max)],
      ['mean', ({ totals }) => span(totals.queueMs.mean)],
    ],
  ],
  [
    'cost, in hours of workers',
    [
      ['active', (run) => hours(activeSecondsOf(run))],
      ...PHASES.map(
        (phase): Row => [
          phase === 'inactive' ? 'inactive' : `  ${phase}`,
          ({ totals }) => hours(totals.workerSeconds[phase]),
        ],
      ),
      ['at work, of ready ones', (run) => percent(useOf(run))],
    ],
  ],
  [
    'workers',
    [
      ['the most at one time', ({ totals }) => count(totals.mostWorkers)],
      ['created', ({ decisions }) => count(decisions.create)],
      ['activated', ({ decisions }) => count(decisions.activate)],
      ['deactivated', ({ decisions }) => count(decisions.deactivate)],
      ['destroyed', ({ decisions }) => count(decisions.destroy)],
    ],
  ],
];

export function activeSecondsOf({ totals: { workerSeconds } }: Run): number {
  return ACTIVE.reduce((sum, phase) => sum + workerSeconds[phase], 0);
}

/** Which part of the time in which workers could work they did. */
export function useOf({ totals: { workerSeconds, busySeconds } }: Run): number {
  const could = workerSeconds.ready + workerSeconds.stopping;
  return could === 0 ? 0 : busySeconds / could;
}

/** What was tried, in lines. */
export function headOf({ load, workers, durationSeconds, seed }: Outcome): string[] {
  return [`${load}, for ${span(durationSeconds * 1_000)} (seed ${seed})`, workers];
}

/** What came of an experiment, for people. */
export function tableOf(outcome: Outcome): string {
  const { runs } = outcome;
  const rows = PARTS.flatMap(([title, part]) => [
    [],
    [title],
    ...part.map(([about, of]) => [`  ${about}`, ...runs.map(of)]),
  ]);
  const names = runs.length > 1 ? [['', ...runs.map(({ name }) => name)]] : [];
  return `${headOf(outcome).join('\n')}\n\n${columns([...names, ...rows.slice(names.length === 0 ? 1 : 0)])}\n`;
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((cells) => cells[column]?.length ?? 0)));
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((cells) => cells.map(cell).join('  ').trimEnd()).join('\n');
}

function withShare(some: number, all: number): string {
  return some === 0 ? '0' : `${count(some)} (${percent(some / all)})`;
}

function hours(seconds: number): string {
  return figure(seconds / 3_600);
}
