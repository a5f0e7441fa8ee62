import type { Sample } from './contract.js';

const HOUR_MS = 3_600_000;
/** Ten minutes, one a second. */
const FINE = 600;
/** So many of those that are older become one. */
const JOINED = 10;
/** Fifty minutes more. */
const COARSE = 300;

/** The samples of the last hour, those of ten minutes ago and before made fewer. */
export class Samples {
  #fine: Sample[] = [];
  readonly #coarse: Sample[] = [];

  add(sample: Sample): void {
    this.#fine.push(sample);
    if (this.#fine.length < FINE + JOINED) return;
    this.#coarse.push(joined(this.#fine.slice(0, JOINED)));
    this.#fine = this.#fine.slice(JOINED);
    if (this.#coarse.length > COARSE) this.#coarse.shift();
  }

  /** Oldest first. */
  get all(): readonly Sample[] {
    return ofTheLastHour([...this.#coarse, ...this.#fine]);
  }
}

/** Those of the hour that ends with the last of them: how many there are in it depends on how punctual they were. */
export function ofTheLastHour(samples: readonly Sample[]): readonly Sample[] {
  const endMs = samples.at(-1)?.atMs ?? 0;
  return samples.filter(({ atMs }) => atMs > endMs - HOUR_MS);
}

/** One in place of several: the mean of what was, and the worst of what anybody had to wait. */
export function joined(samples: readonly Sample[]): Sample {
  const mean = (of: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const worst = (of: (sample: Sample) => number | null) => {
    const known = samples.map(of).filter((ms) => ms !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  return {
    atMs: samples.at(-1)?.atMs ?? 0,
    load: mean(({ load }) => load),
    served: mean(({ served }) => served),
    queued: mean(({ queued }) => queued),
    inFlight: mean(({ inFlight }) => inFlight),
    latencyP50Ms: worst(({ latencyP50Ms }) => latencyP50Ms),
    latencyP99Ms: worst(({ latencyP99Ms }) => latencyP99Ms),
    firstByteP50Ms: worst(({ firstByteP50Ms }) => firstByteP50Ms),
    reportLagMs: worst(({ reportLagMs }) => reportLagMs),
    rssMib: mean(({ rssMib }) => rssMib),
    heapMib: mean(({ heapMib }) => heapMib),
    eventLoopLagMs: worst(({ eventLoopLagMs }) => eventLoopLagMs) ?? 0,
  };
}
