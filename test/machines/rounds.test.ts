import { expect, it } from 'vitest';
import { fullJitterMs, nextRandom } from '../../machines/back-off.js';
import {
  addressOf,
  delivered,
  failedRound,
  isLast,
  nextAddress,
  openRounds,
  type Rounds,
} from '../../machines/rounds.js';

const BACK_OFF = { baseMs: 500, capMs: 4_000 };
const open = (...addresses: string[]) => openRounds({ addresses, backOff: BACK_OFF, seed: 7 });

/** The addresses from this attempt to the end of its round. */
function restOf(rounds: Rounds): string[] {
  return isLast(rounds) ? [addressOf(rounds)] : [addressOf(rounds), ...restOf(nextAddress(rounds))];
}

it('rounds begin with the first address, with nothing failed', () => {
  expect(open('a', 'b')).toEqual({
    addresses: ['a', 'b'],
    backOff: BACK_OFF,
    seed: 7,
    preferred: 0,
    current: 0,
    failedAttempts: 0,
    failedRounds: 0,
    backOffMs: 0,
  });
});

it('a round asks each address once, wrapping around from the one that worked last', () => {
  const rounds = open('a', 'b', 'c');
  expect(restOf(rounds)).toEqual(['a', 'b', 'c']);
  expect(restOf(delivered(nextAddress(rounds)))).toEqual(['b', 'c', 'a']);
  expect(restOf(open('a'))).toEqual(['a']);
});

it('where there is no address the round is over at once', () => {
  expect([addressOf(open()), isLast(open())]).toEqual(['', true]);
  expect(nextAddress(open())).toEqual({ ...open(), failedAttempts: 1 });
});

it('a failed round plans a back-off that grows with the rounds, and goes back to the preferred address', () => {
  const rounds = delivered(nextAddress(open('a', 'b')));
  const first = nextRandom(7);
  const second = nextRandom(first.seed);
  const once = failedRound(nextAddress(rounds));
  expect(once).toEqual({
    ...rounds,
    seed: first.seed,
    failedAttempts: 2,
    failedRounds: 1,
    backOffMs: fullJitterMs(BACK_OFF, 1, first.random),
  });
  expect(failedRound(nextAddress(once))).toEqual({
    ...rounds,
    seed: second.seed,
    failedAttempts: 4,
    failedRounds: 2,
    backOffMs: fullJitterMs(BACK_OFF, 2, second.random),
  });
});

it('a success prefers its address and forgets what failed, but not the seed', () => {
  const failed = nextAddress(failedRound(nextAddress(open('a', 'b'))));
  expect(delivered(failed)).toEqual({
    ...failed,
    preferred: 1,
    current: 1,
    failedAttempts: 0,
    failedRounds: 0,
  });
  expect(delivered(failed).seed).not.toBe(7);
});

it('what holds the rounds keeps what else it holds', () => {
  const holder = { ...open('a', 'b'), name: 'reporter' };
  for (const change of [nextAddress, failedRound, delivered]) {
    expect(change(holder).name).toBe('reporter');
  }
});
