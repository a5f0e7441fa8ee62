import { count, figure, percent, span } from '../report-page/words.js';
import type { LatencyFigures } from './latencies.js';
import type { LoadResult, PlanInWords } from './result.js';

/** What a run tells, for people. */
export function tableOf(result: LoadResult): string {
  const parts = [
    headOf(result),
    columns(summaryOf(result)),
    columns(latencyRows(result), 'right'),
    columns(outcomeRows(result), 'right'),
    ...(result.workers.length === 0 ? [] : [columns(workerRows(result), 'right')]),
    ...(result.thresholds.length === 0 ? adviceOn(result) : [columns(verdictsOf(result))]),
  ];
  return `${parts.join('\n\n')}\n`;
}

export function planText({ loop, rates, arrivals, concurrency, durationMs }: PlanInWords): string {
  const lasting = `for ${span(durationMs)}`;
  if (loop === 'closed') return `closed loop: ${concurrency} at once ${lasting}`;
  const chance = arrivals === 'poisson' ? ', at random' : '';
  return `open loop: ${(rates ?? []).map(figure).join(' to ')} requests/s${chance} ${lasting}`;
}

export function targetText({ method, target, route }: LoadResult): string {
  return route === null ? `${method} ${target}` : `${method} ${route} of ${target}`;
}

function headOf(result: LoadResult): string {
  const stopped = result.ended === 'interrupted' ? ` It was stopped after ${span(result.tookMs)}.` : '';
  const from = result.payload === null ? '' : `, payload from ${result.payload}`;
  return `${targetText(result)}${from}\n${planText(result.plan)}.${stopped}`;
}

function summaryOf({ requests, perSecond, noWorkerStatus }: LoadResult): string[][] {
  const { sent, succeeded, failed, cut, held, unsent, retries, waits } = requests;
  const counts = [`${count(sent)} sent`, `${count(succeeded)} succeeded`, `${count(failed)} failed`];
  if (cut > 0) counts.push(`${count(cut)} cut`);
  const rates = [`${figure(perSecond.sent)} sent`, `${figure(perSecond.succeeded)} succeeded`];
  if (perSecond.units > 0) rates.push(`${figure(perSecond.units)} units of work`);
  if (perSecond.events > 0) rates.push(`${figure(perSecond.events)} events`);
  rates.push(`${figure(perSecond.bytes / 1_024)} KiB`);
  const rows = [
    ['requests', counts.join(', ')],
    ['per second', rates.join(', ')],
  ];
  if (retries > 0) rows.push(['sent again', times(retries)]);
  if (waits > 0) rows.push(['no worker', waitsText(waits, noWorkerStatus)]);
  if (held > 0) rows.push(['held back', `${count(held)}, as too many were under way (--max-under-way)`]);
  if (unsent > 0) rows.push(['never sent', `${count(unsent)}, as there was no room for them before the end`]);
  return rows;
}

/** Why nobody was ready is known to the autoscaler alone. */
export function waitsText(waits: number, status: string | null): string {
  const said = status === null ? '' : `; the autoscaler said last: ${status}`;
  return `${times(waits)}, asked again${said}`;
}

function times(many: number): string {
  return many === 1 ? 'once' : `${count(many)} times`;
}

const HEAD = ['p50', 'p90', 'p95', 'p99', 'p99.9', 'max', 'mean'];

export function latencyRows({ latencyMs, firstByteMs, routedMs, lateMs }: LoadResult): string[][] {
  const rows = [
    ['', ...HEAD],
    ['latency', ...cellsOf(latencyMs)],
    ['first byte', ...cellsOf(firstByteMs)],
  ];
  if (routedMs !== null) rows.push(['worker found', ...cellsOf(routedMs)]);
  if (lateMs !== null) rows.push(['sent late by', ...cellsOf(lateMs)]);
  return rows;
}

function cellsOf(figures: LatencyFigures | null): string[] {
  if (figures === null) return HEAD.map(() => span(null));
  const { p50, p90, p95, p99, p999, max, mean } = figures;
  return [p50, p90, p95, p99, p999, max, mean].map(span);
}

export function outcomeRows({ outcomes, requests }: LoadResult): string[][] {
  const rows = outcomes.map(({ name, count: times, latencyMs }) => [
    name,
    count(times),
    percent(times / (requests.sent + requests.unsent)),
    span(latencyMs?.p50 ?? null),
    span(latencyMs?.p99 ?? null),
  ]);
  return [['outcome', 'requests', 'share', 'p50', 'p99'], ...rows];
}

export function workerRows({ workers }: LoadResult): string[][] {
  const all = workers.reduce((sum, { requests }) => sum + requests, 0);
  const rows = workers.map(({ worker, requests, failed, latencyMs, firstByteMs }) => [
    worker,
    count(requests),
    percent(requests / all),
    count(failed),
    span(latencyMs?.p50 ?? null),
    span(latencyMs?.p99 ?? null),
    span(firstByteMs?.p50 ?? null),
    span(firstByteMs?.p99 ?? null),
  ]);
  const head = ['worker', 'requests', 'share', 'failed', 'p50', 'p99', 'first byte p50', 'first byte p99'];
  return [head, ...rows];
}

/** Some failures are no reason for an exit code, unless it was said how many are. */
function adviceOn({ requests: { failed, unsent, succeeded } }: LoadResult): string[] {
  if (failed + unsent === 0 || succeeded === 0) return [];
  const share = `${count(failed + unsent)} of ${count(failed + unsent + succeeded)} failed`;
  return [`${share}; with --fail-on 'errors>1%' that is exit code 1.`];
}

function verdictsOf({ thresholds }: LoadResult): string[][] {
  return thresholds.map(({ threshold, found, broken }) => [broken ? 'BROKEN' : 'kept', threshold, found]);
}

/** Rows in columns as wide as they need to be; `right`: all but the first are aligned to the right. */
function columns(rows: readonly (readonly string[])[], align: 'left' | 'right' = 'left'): string {
  const most = Math.max(...rows.map((cells) => cells.length));
  const widths = Array.from({ length: most }, (_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const cell = (text: string, column: number) =>
    align === 'right' && column > 0 ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0);
  return rows.map((cells) => cells.map(cell).join('  ').trimEnd()).join('\n');
}
