import { nextRandom } from './back-off.js';

/** From 0 to below 1 at each call, the same ones for the same seed. */
export type Random = () => number;

export function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    const { seed: next, random } = nextRandom(state);
    state = next;
    return random;
  };
}

/** What is left of a memoryless wait of this mean. */
export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean;
}
