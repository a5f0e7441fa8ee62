/**
 * How much work comes, foretold from how much came: the mean of the last five minutes, so that a load that is steady
 * but for chance is told as steady, without what was before the load changed. A change is more than chance would
 * make of what came: a rise shows within seconds, and a fall when it has lasted.
 */

export interface Forecast {
  /** Units of work that came in each second that has passed since the last change, the newest last. */
  readonly passed: readonly number[];
  /** Units of work that have come in this second so far. */
  readonly current: number;
  /** When this second began, in whole seconds of the caller's clock. */
  readonly second: number;
  /** When work came last, in ms; null: none has. */
  readonly lastWorkAtMs: number | null;
}

export const NO_WORK_YET: Forecast = { passed: [], current: 0, second: 0, lastWorkAtMs: null };

const FAST_SECONDS = 10;
const SLOW_SECONDS = 60;
const LONG_SECONDS = 300;

/** Means that are so many standard errors apart are not so by chance. */
const CHANGE = 5;

/** The forecast after units of work have come. Times never go back; what comes late counts as now. */
export function came(forecast: Forecast, units: number, atMs: number): Forecast {
  const { passed, current, second } = movedOn(forecast, atMs);
  const lastWorkAtMs = Math.max(atMs, forecast.lastWorkAtMs ?? atMs);
  return { passed, current: current + units, second, lastWorkAtMs };
}

/** Units of work per second that are to be expected. */
export function expectedPerSecond(forecast: Forecast, atMs: number): number {
  const seconds = sinceChange(secondsOf(movedOn(forecast, atMs)));
  const mean = sumOf(seconds, 0) / Math.max(seconds.length, SLOW_SECONDS);
  if (seconds.length >= SLOW_SECONDS) return mean;
  // So soon after a change it is not known yet what is chance.
  return Math.max(mean, sumOf(seconds, seconds.length - FAST_SECONDS) / FAST_SECONDS);
}

/** The same forecast at a later time. Who asks again and again keeps it, so that no second is gone through twice. */
export function movedOn(forecast: Forecast, atMs: number): Forecast {
  const second = Math.max(forecast.second, Math.floor(atMs / 1_000));
  if (second === forecast.second) return forecast;
  const { lastWorkAtMs } = forecast;
  // What was before the first work is not known to be a time without work.
  if (lastWorkAtMs === null) return { ...NO_WORK_YET, second };
  let passed = remembered(secondsOf(forecast));
  // A fall is told while it is new: of five minutes, four without work and one with are no more than chance makes.
  const quiet = Math.min(second - forecast.second, LONG_SECONDS) - 1;
  for (let each = 0; each < quiet; each++) passed = remembered(passed.concat(0));
  return { passed, current: 0, second, lastWorkAtMs };
}

/** What is still of use of the seconds up to one, when the next begins. */
function remembered(seconds: readonly number[]): readonly number[] {
  return sinceChange(seconds).slice(1 - LONG_SECONDS);
}

function secondsOf({ passed, current }: Forecast): readonly number[] {
  return passed.concat(current);
}

/** Without what came before the load changed. */
function sinceChange(seconds: readonly number[]): readonly number[] {
  if (seconds.length <= SLOW_SECONDS) return seconds;
  const mean = sumOf(seconds, 0) / seconds.length;
  let squares = 0;
  for (const units of seconds) squares += (units - mean) ** 2;
  const variance = squares / seconds.length;
  if (changeIn(seconds, FAST_SECONDS, mean, variance) > CHANGE) return seconds.slice(-FAST_SECONDS);
  const isChanged = Math.abs(changeIn(seconds, SLOW_SECONDS, mean, variance)) > CHANGE;
  return isChanged ? seconds.slice(-SLOW_SECONDS) : seconds;
}

/** By how much more a second came in the newest ones than before, in standard errors of that difference. */
function changeIn(seconds: readonly number[], newest: number, mean: number, variance: number): number {
  const before = seconds.length - newest;
  const recent = sumOf(seconds, before) / newest;
  const difference = ((recent - mean) * seconds.length) / before;
  const error = Math.sqrt(variance * (1 / before + 1 / newest));
  return error === 0 ? 0 : difference / error;
}

function sumOf(seconds: readonly number[], from: number): number {
  let sum = 0;
  for (let index = Math.max(0, from); index < seconds.length; index++) sum += seconds[index] ?? 0;
  return sum;
}
