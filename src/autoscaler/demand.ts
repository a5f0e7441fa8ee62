import { came, expectedPerSecond, type Forecast, movedOn, NO_WORK_YET } from '../../machines/forecast.js';

/**
 * The work that is to be expected, from two sides: what clients ask routes for, which is known before any worker is
 * there, and what workers tell that came, which counts as they count and holds what nobody asked a route for. Most
 * work is in both, so the busier of the two counts. Times are monotonic milliseconds.
 */
export class Demand {
  readonly #startedAtMs: number;
  #asked: Forecast = NO_WORK_YET;
  #told: Forecast = NO_WORK_YET;

  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  /** A client has asked a route for so much work. */
  ask(units: number, atMs: number): void {
    this.#asked = came(this.#asked, units, atMs);
  }

  /** A worker has told that so much came since it last told. */
  tell(units: number, atMs: number): void {
    if (units > 0) this.#told = came(this.#told, units, atMs);
  }

  expectedPerSecond(atMs: number): number {
    this.#asked = movedOn(this.#asked, atMs);
    this.#told = movedOn(this.#told, atMs);
    return Math.max(expectedPerSecond(this.#asked, atMs), expectedPerSecond(this.#told, atMs));
  }

  /** How long ago the last work came, or since when it has been looked at. */
  quietMs(atMs: number): number {
    const lastAtMs = Math.max(this.#startedAtMs, this.#asked.lastWorkAtMs ?? 0, this.#told.lastWorkAtMs ?? 0);
    return Math.max(0, atMs - lastAtMs);
  }
}
