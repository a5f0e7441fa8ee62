import { type Html, html } from '../report-page/html.js';
import { pageOf, section, type Tile, table, tiles } from '../report-page/page.js';
import { type Line, type Plot, type Point, plots } from '../report-page/plot.js';
import { timeTicks } from '../report-page/ticks.js';
import { count, figure, percent, span } from '../report-page/words.js';
import type { LoadResult } from './result.js';
import type { SeriesPoint } from './series.js';
import { latencyRows, outcomeRows, planText, targetText, waitsText, workerRows } from './table.js';

/** A run as a page that stands alone. */
export function reportOf(result: LoadResult): string {
  const { workers, thresholds } = result;
  const verdicts = thresholds.map(({ threshold, found, broken }) => ({
    cells: [threshold, found, broken ? 'broken' : 'kept'],
    tone: broken ? ('bad' as const) : ('good' as const),
  }));
  return pageOf({
    title: `Load: ${targetText(result)}`,
    about: aboutOf(result),
    parts: [
      tiles(tilesOf(result)),
      ...(verdicts.length === 0
        ? []
        : [section('Thresholds', [table({ head: ['must not be', 'found', ''], rows: verdicts })])]),
      section('The run', [plots(plotsOf(result))]),
      section('Latencies', [tableOf(latencyRows(result))]),
      section('Outcomes', [tableOf(outcomeRows(result)), ...waitsOf(result)]),
      ...(workers.length === 0 ? [] : [section('Workers', [tableOf(workerRows(result))])]),
    ],
  });
}

function aboutOf({ plan, payload, startedAt, ended, tookMs }: LoadResult): string[] {
  const from = payload === null ? '' : `, payload from ${payload}`;
  const stopped = ended === 'interrupted' ? `; it was stopped after ${span(tookMs)}` : '';
  return [`${planText(plan)}${from}`, `begun at ${startedAt}${stopped}`];
}

function tilesOf({ requests, perSecond, latencyMs, firstByteMs }: LoadResult): Tile[] {
  const { sent, succeeded, failed, cut, unsent, retries } = requests;
  const again = retries > 0 ? `${count(retries)} times sent again` : '';
  return [
    { name: 'succeeded', value: count(succeeded), note: `of ${count(sent)} sent` },
    {
      name: 'failed',
      value: count(failed),
      note: [cut > 0 ? `${count(cut)} cut` : '', unsent > 0 ? `${count(unsent)} never sent` : '', again]
        .filter((part) => part !== '')
        .join(', '),
      ...(failed + unsent > 0 && { tone: 'bad' as const }),
    },
    { name: 'per second', value: figure(perSecond.succeeded), note: `${figure(perSecond.sent)} sent` },
    { name: 'latency', value: span(latencyMs?.p50 ?? null), note: 'median' },
    { name: 'latency', value: span(latencyMs?.p99 ?? null), note: '99th percentile' },
    { name: 'first byte', value: span(firstByteMs?.p50 ?? null), note: 'median' },
  ];
}

function waitsOf({ requests: { waits }, noWorkerStatus }: LoadResult): Html[] {
  return waits === 0 ? [] : [html`<p class="about">no worker: ${waitsText(waits, noWorkerStatus)}</p>`];
}

function plotsOf(result: LoadResult): Plot[] {
  const { series, workers, latencyCurve } = result;
  const last = series.at(-1);
  const until = last === undefined ? 0 : last.atMs + last.forMs;
  const x = { text: span, ticks: timeTicks(until), until };
  const lineOf = (name: string, of: (point: SeriesPoint) => number | null): Line => ({
    name,
    points: series.map((point) => [point.atMs, of(point)]),
  });
  // The last stretch may be so short that a single answer in it would look like a thousand a second.
  const stretchMs = series[0]?.forMs ?? 1;
  const perSecond = (of: 'begun' | 'succeeded' | 'failed') => (point: SeriesPoint) =>
    (point[of] / stretchMs) * 1_000;
  const all: Plot[] = [
    {
      title: 'Requests a second',
      x,
      y: { text: figure },
      lines: [
        lineOf('begun', perSecond('begun')),
        lineOf('succeeded', perSecond('succeeded')),
        ...(result.requests.failed > 0 ? [{ ...lineOf('failed', perSecond('failed')), colour: 4 }] : []),
      ],
    },
    {
      title: 'Latency',
      x,
      y: { text: span },
      lines: [
        lineOf('median', ({ p50Ms }) => p50Ms),
        lineOf('99 %', ({ p99Ms }) => p99Ms),
        lineOf('first byte, median', ({ firstByteP50Ms }) => firstByteP50Ms),
      ],
    },
    {
      title: 'Under way',
      x,
      y: { text: figure, isWhole: true },
      // They are those at the end of a stretch.
      lines: [
        {
          name: 'requests',
          points: [[0, 0], ...series.map(({ atMs, forMs, underWay }): Point => [atMs + forMs, underWay])],
        },
      ],
    },
  ];
  if (workers.length > 0)
    all.push({
      title: 'Workers that answered',
      x,
      y: { text: figure, isWhole: true },
      lines: [lineOf('workers', ({ workers }) => workers)],
    });
  if (latencyCurve.length > 0) all.push(curveOf(latencyCurve));
  return all;
}

const NINES = [0, 50, 90, 99, 99.9, 99.99, 99.999];

/** Over the number of nines, so that the slowest are not pressed into the last pixel. */
function curveOf(curve: LoadResult['latencyCurve']): Plot {
  const placeOf = (part: number) => -Math.log10(1 - part / 100);
  const most = placeOf(curve.at(-1)?.[0] ?? 0);
  return {
    title: 'Latency by percentile',
    lines: [{ name: 'not exceeded by', points: curve.map(([part, ms]) => [placeOf(part), ms]) }],
    x: {
      text: (place) => percent(1 - 10 ** -place),
      ticks: NINES.map(placeOf).filter((place) => place <= most),
    },
    y: { text: span },
  };
}

function tableOf([head = [], ...rows]: readonly (readonly string[])[]) {
  return rows.length === 0 ? html`<p class="about">none</p>` : table({ head, rows });
}
