import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from '../../src/report-page/html.js';
import { pageOf, section, table, tiles } from '../../src/report-page/page.js';
import { type Plot, plotOf } from '../../src/report-page/plot.js';
import { ticksUpTo, timeTicks } from '../../src/report-page/ticks.js';

const HOSTILE = `<script>alert("x")</script> & 'more'`;
const TAMED = '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;more&#39;';

describe('a page', () => {
  it('escapes what is put in, wherever that is', () => {
    const plot: Plot = {
      title: HOSTILE,
      lines: [{ name: HOSTILE, points: [[0, 1]] }],
      x: { text: () => HOSTILE, ticks: [1] },
      y: { text: () => HOSTILE },
    };
    const text = pageOf({
      title: HOSTILE,
      about: [HOSTILE],
      parts: [
        section(HOSTILE, [plotOf(plot)]),
        tiles([{ name: HOSTILE, value: HOSTILE, note: HOSTILE, tone: 'bad' }]),
        table({ head: [HOSTILE, HOSTILE], rows: [[HOSTILE, HOSTILE]] }),
      ],
    });
    expect(text).not.toContain('<script');
    expect(text.split(TAMED).length).toBeGreaterThan(15);
  });

  it('needs nothing but itself', () => {
    const text = pageOf({ title: 'Alone', about: [], parts: [html`<p>here</p>`] });
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(text).toContain('<main>\n<p>here</p>\n</main>');
    expect(text).not.toMatch(/\b(?:src|href|url|import)\b\s*[=(]|https?:/);
  });
});

describe('a plot', () => {
  const plot = (points: Plot['lines'][number]['points']): Plot => ({
    title: 'Load',
    lines: [{ name: 'units', points }],
    x: { text: (value) => `${value} s`, ticks: [0, 10] },
    y: { text: String },
  });
  const pathIn = (of: Plot) => /<path class="line c1" d="([^"]*)"/.exec(plotOf(of).text)?.[1];

  it('has its lines from the lower left to the upper right', () => {
    expect(
      pathIn(
        plot([
          [0, 0],
          [10, 100],
        ]),
      ),
    ).toBe('M0 160h0L500 0');
    expect(
      pathIn(
        plot([
          [0, 0],
          [5, 50],
          [10, 100],
        ]),
      ),
    ).toBe('M0 160h0L250 80L500 0');
  });

  it('breaks a line where there is no value', () => {
    expect(
      pathIn(
        plot([
          [0, 100],
          [5, null],
          [10, 100],
        ]),
      ),
    ).toBe('M0 0h0M500 0h0');
  });

  it('marks round values, and says what is at a place', () => {
    const { text } = plotOf(
      plot([
        [0, 40],
        [10, 100],
      ]),
    );
    // From below, as far apart as the lines of the grid.
    expect(/<div class="y-axis".*>(?:\n?<span>\d+<\/span>)+/.exec(text)?.[0].match(/\d+/g)).toEqual([
      '0',
      '20',
      '40',
      '60',
      '80',
      '100',
    ]);
    expect([...text.matchAll(/<line class="grid" .* y2="([\d.]+)"/g)].map(([, y]) => y)).toEqual([
      '160',
      '128',
      '96',
      '64',
      '32',
      '0',
    ]);
    expect(
      [...text.matchAll(/<span style="left: ([\d.]+)%">(.+?)</g)].map(([, left, tick]) => [left, tick]),
    ).toEqual([
      ['0', '0'],
      ['100', '10 s'],
    ]);
    expect([...text.matchAll(/<title>([^<]*)</g)].map(([, told]) => told)).toEqual([
      '0 s: units 40',
      '10 s: units 100',
    ]);
  });

  it('reaches as far as is said, beyond its last point', () => {
    const short: Plot = {
      ...plot([
        [0, 0],
        [5, 100],
      ]),
      x: { text: String, ticks: [0], until: 10 },
    };
    expect(pathIn(short)).toBe('M0 160h0L250 0');
    // What its last point says holds to the end, and can be pointed at there.
    const columns = [
      ...plotOf(short).text.matchAll(/<rect class="column" x="([\d.]+)" y="0" width="([\d.]+)"/g),
    ];
    expect(columns.map(([, x, width]) => [x, width])).toEqual([
      ['0', '250'],
      ['250', '250'],
    ]);
  });

  it.each([
    ['no line', []],
    ['no point', [{ name: 'a', points: [] }]],
    ['no value', [{ name: 'a', points: [[0, null]] }]],
    ['one point', [{ name: 'a', points: [[3, 7]] }]],
    [
      'nothing but zeros',
      [
        {
          name: 'a',
          points: [
            [0, 0],
            [1, 0],
          ],
        },
      ],
    ],
  ] satisfies [string, Plot['lines']][])('is drawn with %s', (_what, lines) => {
    const { text } = plotOf({ ...plot([]), lines });
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('can be pointed at in three hundred places at most', () => {
    const { text } = plotOf(plot(Array.from({ length: 5_000 }, (_, x) => [x, x])));
    const columns = text.match(/<rect /g)?.length ?? 0;
    expect([columns > 200, columns <= 300]).toEqual([true, true]);
  });
});

describe('ticks', () => {
  it('are round, six at most, and reach the value', () => {
    expect(ticksUpTo(70)).toEqual([0, 20, 40, 60, 80]);
    expect(ticksUpTo(0.3)).toEqual([0, 0.1, 0.2, 0.3]);
    expect(ticksUpTo(2, 1)).toEqual([0, 1, 2]);
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (most) => {
        const ticks = ticksUpTo(most);
        expect(ticks.length).toBeLessThanOrEqual(7);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(most * (1 - 1e-6));
        expect(ticks.at(-2)).toBeLessThan(most);
      }),
    );
  });

  it('of time are such as people count in', () => {
    expect(timeTicks(20_000)).toEqual([0, 5_000, 10_000, 15_000, 20_000]);
    expect(timeTicks(3 * 3_600_000)).toEqual([0, 1, 2, 3, 4, 5, 6].map((half) => half * 1_800_000));
    expect(timeTicks(500)).toEqual([0, 500]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e11 }), (untilMs) => {
        const ticks = timeTicks(untilMs);
        expect(ticks.length).toBeLessThanOrEqual(7);
        expect(ticks.every((tick) => tick <= untilMs)).toBe(true);
      }),
    );
  });
});
