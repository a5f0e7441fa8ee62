/**
 * How much work comes, foretold from how much came: the busier of the last seconds and the last minute. So a rise
 * is followed within seconds, and a fall only when it has lasted.
 */

export interface Forecast {
  /** Units of work that came in each second, the newest last. */
  readonly seconds: readonly number[];
  /** When the newest second began, in whole seconds of the caller's clock. */
  readonly newest: number;
  /** When work came last, in ms; null: none has. */
  readonly lastWorkAtMs: number | null;
}

export const NO_WORK_YET: Forecast = { seconds: [], newest: 0, lastWorkAtMs: null };

const FAST_SECONDS = 10;
const SLOW_SECONDS = 60;

/** The forecast after units of work have come. Times never go back; what comes late counts as now. */
export function came(forecast: Forecast, units: number, atMs: number): Forecast {
  const { seconds, newest } = upTo(forecast, atMs);
  const last = (seconds.at(-1) ?? 0) + units;
  return {
    seconds: [...seconds.slice(0, -1), last],
    newest,
    lastWorkAtMs: Math.max(atMs, forecast.lastWorkAtMs ?? atMs),
  };
}

/** Units of work per second that are to be expected. */
export function expectedPerSecond(forecast: Forecast, atMs: number): number {
  const { seconds } = upTo(forecast, atMs);
  return Math.max(meanOf(seconds, FAST_SECONDS), meanOf(seconds, SLOW_SECONDS));
}

/** The same forecast, moved on to a later second. */
function upTo({ seconds, newest, lastWorkAtMs }: Forecast, atMs: number): Forecast {
  const second = Math.max(newest, Math.floor(atMs / 1_000));
  const passed = seconds.length === 0 ? 1 : Math.min(second - newest, SLOW_SECONDS);
  const moved = [...seconds, ...Array.from({ length: passed }, () => 0)].slice(-SLOW_SECONDS);
  return { seconds: moved, newest: second, lastWorkAtMs };
}

/** Over the last whole window, of which what is not known counts as nothing. */
function meanOf(seconds: readonly number[], window: number): number {
  return seconds.slice(-window).reduce((sum, units) => sum + units, 0) / window;
}
