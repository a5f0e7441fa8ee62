import { describe, expect, it } from 'vitest';
import { RandomArrivals, secondBySecond } from '../../src/simulate/arrivals.js';
import { carryOut, type Experiment } from '../../src/simulate/outcome.js';
import { reportOf } from '../../src/simulate/report.js';
import { SHAPES } from '../../src/simulate/shapes.js';

const DURATION_MS = 1_800_000;

const EXPERIMENT: Experiment = {
  load: {
    about: 'a file <of mine>.csv',
    durationMs: DURATION_MS,
    arrivals: (seed) =>
      new RandomArrivals(secondBySecond(SHAPES.constant.of(3)), { least: 100, most: 100 }, DURATION_MS, seed),
  },
  perfs: [100],
  workers: 'workers do 100 units/s',
  tried: [{ name: 'as given', turned: {} }],
  seed: 1,
};

const titlesOf = (page: string) =>
  [...page.matchAll(/<figcaption><strong>(.+?)<\/strong>/g)].map(([, title]) => title);

describe('the page of a simulation', () => {
  it('stands alone, and takes no name for a piece of itself', () => {
    const page = reportOf(carryOut(EXPERIMENT));
    expect(page).toContain('Simulation: a file &lt;of mine&gt;.csv, for 30 min (seed 1)');
    expect(page).not.toMatch(/<script|<link|<img|(?:src|href)=|url\(|@import/i);
    expect(titlesOf(page)).toEqual(['Units of work per second', 'Workers', 'Queue time']);
  });

  it('shows two runs in each plot, and those who were refused where any was', () => {
    const few = { name: 'max-workers=1', turned: { 'max-workers': '1', 'min-workers': '1' } } as const;
    const page = reportOf(carryOut({ ...EXPERIMENT, tried: [...EXPERIMENT.tried, few] }));
    expect(titlesOf(page)).toEqual([
      'Units of work per second',
      'Workers: ready',
      'Workers: on their way',
      'Workers: inactive',
      'Queue time: median',
      'Queue time: 99 %',
      'Refused requests',
    ]);
    expect(page.match(/<path class="line/g)).toHaveLength(3 + 6 * 2);
    expect(page).toMatch(/<th scope="row">max-workers<\/th>\s*<td>16<\/td>\s*<td>1<\/td>/);
  });
});
