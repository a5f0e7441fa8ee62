import { describe, expect, it } from 'vitest';
import { type Belief, beliefOf, believed, NOTHING_DOUBTED } from '../../machines/belief.js';

describe('what workers are believed to do', () => {
  it.each<[name: string, said: number[], belief: Belief]>([
    ['nobody has measured anything', [], NOTHING_DOUBTED],
    ['each says 0', [0, 0], NOTHING_DOUBTED],
    ['one alone is believed', [1e9], { most: 5e9, typical: 1e9 }],
    ['of two both are', [1e9, 10], { most: 5e9, typical: 500_000_005 }],
    ['of three one may be wrong', [10, 1e9, 10], { most: 50, typical: 70 / 3 }],
    ['of five two may', [1e9, 10, 10, 10, 1e9], { most: 50, typical: 26 }],
    ['who does five times as much is believed', [10, 50, 10], { most: 50, typical: 70 / 3 }],
    ['who says too little only counts as one of them', [10, 0.5, 10], { most: 50, typical: 20.5 / 3 }],
    ['who has measured nothing does not count', [0, 10, 0, 0, 20, 30], { most: 100, typical: 20 }],
    ['figures are in the order of their size', [9, 100, 10], { most: 50, typical: 23 }],
  ])('%s', (_name, said, belief) => {
    expect(beliefOf(said)).toEqual(belief);
  });

  it.each<[said: number, does: number]>([
    [7, 7],
    [50, 50],
    [51, 50],
    [Number.POSITIVE_INFINITY, 50],
    [0, 12],
  ])('one that says %d does %d, where 50 are the most and 12 typical', (said, does) => {
    expect(believed({ most: 50, typical: 12 }, said)).toBe(does);
  });

  it('everybody is believed where nothing is doubted, and of who says nothing nothing is known', () => {
    expect([1e9, 1e-9, 0].map((said) => believed(NOTHING_DOUBTED, said))).toEqual([1e9, 1e-9, 0]);
  });
});
