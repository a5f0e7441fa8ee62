import { type Html, html } from '../report-page/html.js';
import { pageOf, section, type Tile, table, tiles } from '../report-page/page.js';
import { type Line, type Plot, plots } from '../report-page/plot.js';
import { timeTicks } from '../report-page/ticks.js';
import { count, figure, percent, span } from '../report-page/words.js';
import type { Outcome, Run } from './outcome.js';
import { activeSecondsOf, headOf, PARTS, useOf } from './table.js';
import type { Stretch } from './tally.js';

/** What came of an experiment, as a page that stands alone. */
export function reportOf(outcome: Outcome): string {
  const { runs } = outcome;
  const [head = '', ...about] = headOf(outcome);
  return pageOf({
    title: `Simulation: ${head}`,
    about,
    parts: [
      ...runs.flatMap((run) => [...headingOf(run, runs), tiles(tilesOf(run))]),
      section('Over the time', [plots(plotsOf(outcome))]),
      ...PARTS.map(([title, rows]) => {
        const cells = rows.map(([name, of]) => [name.trim(), ...runs.map(of)]);
        return section(inCapitals(title), [tableOf(runs, cells)]);
      }),
      section('Settings', [tableOf(runs, settingsOf(runs))]),
    ],
  });
}

/** A single run needs none. */
function headingOf({ name }: Run, runs: readonly Run[]): Html[] {
  return runs.length === 1 ? [] : [html`<h2>${name}</h2>`];
}

function tilesOf(run: Run): Tile[] {
  const { requests, queueMs, workerSeconds, mostWorkers } = run.totals;
  const { served, arrived, refused } = requests;
  return [
    { name: 'served', value: count(served), note: `of ${count(arrived)} requests` },
    {
      name: 'refused',
      value: count(refused),
      note: refused === 0 ? '' : percent(refused / arrived),
      ...(refused > 0 && { tone: 'bad' as const }),
    },
    { name: 'queue time', value: span(queueMs.p50), note: 'median' },
    { name: 'queue time', value: span(queueMs.p99), note: '99th percentile' },
    {
      name: 'active workers',
      value: `${figure(activeSecondsOf(run) / 3_600)} h`,
      note: `and ${figure(workerSeconds.inactive / 3_600)} h of inactive ones`,
    },
    { name: 'at work', value: percent(useOf(run)), note: `of ready workers; ${count(mostWorkers)} at most` },
  ];
}

function plotsOf(outcome: Outcome): Plot[] {
  const { runs } = outcome;
  const until = outcome.durationSeconds * 1_000;
  const x = { text: span, ticks: timeTicks(until), until };
  const plot = (title: string, lines: readonly Line[], text = figure): Plot => ({
    title,
    x,
    y: { text },
    lines,
  });
  const [load] = linesOf(runs, 'load', (stretch) => stretch.load);
  const capacity = linesOf(runs, 'capacity', (stretch) => stretch.capacity).map((line, index) => ({
    ...line,
    name: runs.length === 1 ? line.name : `capacity, ${line.name}`,
    colour: index + 1,
  }));
  const all = [
    // It is the same in all.
    plot('Units of work per second', [...(load ? [{ ...load, name: 'load', colour: 6 }] : []), ...capacity]),
    ...together(runs, plot, 'Workers', WORKERS, figure),
    ...together(runs, plot, 'Queue time', QUEUE_TIMES, seconds),
  ];
  const isRefusing = runs.some(({ totals }) => totals.requests.refused > 0);
  return isRefusing
    ? [
        ...all,
        plot(
          'Refused requests',
          linesOf(runs, 'refused', ({ refused }) => refused),
        ),
      ]
    : all;
}

type Kind = readonly [name: string, of: (stretch: Stretch) => number];

const WORKERS: readonly Kind[] = [
  ['ready', ({ workers }) => workers.ready],
  ['on their way', ({ workers }) => workers.creating + workers.loading + workers.updating],
  ['inactive', ({ workers }) => workers.inactive],
];

const QUEUE_TIMES: readonly Kind[] = [
  ['median', ({ queueP50Ms }) => queueP50Ms],
  ['99 %', ({ queueP99Ms }) => queueP99Ms],
];

/** The kinds of one run in one plot; of two runs a plot for each kind. */
function together(
  runs: readonly Run[],
  plot: (title: string, lines: readonly Line[], text: (value: number) => string) => Plot,
  title: string,
  kinds: readonly Kind[],
  text: (value: number) => string,
): Plot[] {
  const lines = kinds.map(([name, of]) => linesOf(runs, name, of));
  if (runs.length === 1) return [plot(title, lines.flat(), text)];
  return lines.map((each, index) => plot(`${title}: ${kinds[index]?.[0] ?? ''}`, each, text));
}

/** A line for each run, in a colour of the run where there are two. */
function linesOf(runs: readonly Run[], what: string, of: (stretch: Stretch) => number): Line[] {
  return runs.map(({ name, stretches }) => ({
    name: runs.length === 1 ? what : name,
    points: stretches.map((stretch) => [stretch.fromMs, of(stretch)]),
  }));
}

/** Short, as it stands beside an axis. */
function seconds(ms: number): string {
  return `${figure(ms / 1_000)} s`;
}

function settingsOf(runs: readonly Run[]): string[][] {
  const [first] = runs;
  const names = Object.keys(first?.settings ?? {}) as (keyof Run['settings'])[];
  return names.map((name) => [name, ...runs.map(({ settings }) => settings[name])]);
}

function tableOf(runs: readonly Run[], rows: readonly (readonly string[])[]): Html {
  return table({ head: ['', ...runs.map(({ name }) => name)], rows });
}

function inCapitals(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
