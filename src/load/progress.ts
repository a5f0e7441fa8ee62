import { count, figure, span } from '../report-page/words.js';
import type { Tally } from './tally.js';

/** How the run goes, in one line: all so far, then the last stretch of it. */
export function progressText(tally: Tally, nowMs: number, durationMs: number): string {
  const last = tally.advanceTo(nowMs).at(-1);
  const { succeeded, failed } = tally.counts;
  const parts = [
    `${span(Math.floor(nowMs / 1_000) * 1_000)} of ${span(durationMs)}`,
    `${count(succeeded)} succeeded, ${count(failed)} failed, ${count(tally.underWay)} under way`,
  ];
  if (last !== undefined) {
    parts.push(`last ${figure((last.succeeded / last.forMs) * 1_000)}/s`);
    parts.push(`p50 ${span(last.p50Ms)}, p99 ${span(last.p99Ms)}`);
  }
  return parts.join(' · ');
}
