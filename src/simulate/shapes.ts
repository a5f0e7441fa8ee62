import { exponential, randomFrom } from '../../machines/random.js';
import type { Rate } from './arrivals.js';

/** Loads that need no file, by name. Each comes to `mean` requests per second on average. */
export const SHAPES = {
  constant: {
    about: 'the same all the time',
    durationMs: 3_600_000,
    of:
      (mean: number): Rate =>
      () =>
        mean,
  },
  diurnal: {
    about: 'a day: from the quiet of the night to nine times as much twelve hours later, and back',
    durationMs: 86_400_000,
    of: diurnal,
  },
  bursty: {
    about: 'calm for eight minutes on average, then five times as much for one',
    durationMs: 3_600_000,
    of: bursty,
  },
} as const satisfies Record<string, Shape>;

export interface Shape {
  readonly about: string;
  /** How long it is simulated where nothing else is said. */
  readonly durationMs: number;
  readonly of: (mean: number, seed: number) => Rate;
}

export type ShapeName = keyof typeof SHAPES;

export function isShape(name: string): name is ShapeName {
  return Object.hasOwn(SHAPES, name);
}

const DAY_SECONDS = 86_400;
const SWING = 0.8;

function diurnal(mean: number): Rate {
  return (second) => mean * (1 - SWING * Math.cos((second / DAY_SECONDS) * 2 * Math.PI));
}

const CALM_SECONDS = 480;
const BURST_SECONDS = 60;
const BURST = 5;

function bursty(mean: number, seed: number): Rate {
  const random = randomFrom(seed);
  const calm = (mean * (CALM_SECONDS + BURST_SECONDS)) / (CALM_SECONDS + BURST * BURST_SECONDS);
  let isBurst = false;
  let until = exponential(random, CALM_SECONDS);
  return (second) => {
    while (second >= until) {
      isBurst = !isBurst;
      until += exponential(random, isBurst ? BURST_SECONDS : CALM_SECONDS);
    }
    return isBurst ? calm * BURST : calm;
  };
}
