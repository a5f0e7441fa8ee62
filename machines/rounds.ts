import { type BackOff, fullJitterMs, nextRandom } from './back-off.js';

/**
 * Rounds over the addresses of an autoscaler. A round begins with the address that worked last and asks
 * each one once, wrapping around; when all have failed the round has failed, and the next one begins after
 * a back-off. A machine that asks an autoscaler keeps these values in its context.
 */
export interface Rounds {
  /** In order of preference. */
  readonly addresses: readonly string[];
  readonly backOff: BackOff;
  /** Seeds the jitter: the same seed waits the same times. */
  readonly seed: number;
  /** Index of the address that is asked first, because it worked last. */
  readonly preferred: number;
  /** Index of the address of this attempt. */
  readonly current: number;
  /** Since the last success. */
  readonly failedAttempts: number;
  readonly failedRounds: number;
  /** How long to wait after the round that failed last. */
  readonly backOffMs: number;
}

/** Rounds that begin with the first address. */
export function openRounds({
  addresses,
  backOff,
  seed,
}: Pick<Rounds, 'addresses' | 'backOff' | 'seed'>): Rounds {
  return {
    addresses,
    backOff,
    seed,
    preferred: 0,
    current: 0,
    failedAttempts: 0,
    failedRounds: 0,
    backOffMs: 0,
  };
}

/** The address of this attempt; empty where there is none at all. */
export function addressOf({ addresses, current }: Rounds): string {
  return addresses[current] ?? '';
}

/** Whether this attempt is the last of its round: no other address is left. */
export function isLast(rounds: Rounds): boolean {
  return following(rounds) === rounds.preferred;
}

/** This attempt has failed, and the next address is asked. */
export function nextAddress<Held extends Rounds>(rounds: Held): Held {
  return { ...rounds, failedAttempts: rounds.failedAttempts + 1, current: following(rounds) };
}

/** This attempt was the last of its round and has failed too: the next round waits for `backOffMs`. */
export function failedRound<Held extends Rounds>(rounds: Held): Held {
  const failedRounds = rounds.failedRounds + 1;
  const { seed, random } = nextRandom(rounds.seed);
  return {
    ...rounds,
    seed,
    failedAttempts: rounds.failedAttempts + 1,
    failedRounds,
    backOffMs: fullJitterMs(rounds.backOff, failedRounds, random),
    current: rounds.preferred,
  };
}

/** This attempt has succeeded: its address is asked first from now on. */
export function delivered<Held extends Rounds>(rounds: Held): Held {
  return { ...rounds, preferred: rounds.current, failedAttempts: 0, failedRounds: 0 };
}

/** The index of the address after the current one, wrapping around. */
function following({ current, addresses }: Rounds): number {
  return (current + 1) % Math.max(1, addresses.length);
}
