import { describe, expect, it } from 'vitest';
import { Sample } from '../../src/load/sample.js';
import { Tally } from '../../src/load/tally.js';
import { judge, parseThresholds } from '../../src/load/thresholds.js';

/** Requests that took so long, each with its first byte in half of the time, and requests that failed. */
function tallyOf(latencies: readonly number[], failed = 0): Tally {
  const tally = new Tally(1_000);
  const begin = () => {
    const sample = new Sample(0, 0);
    tally.began(sample);
    return sample;
  };
  for (const ms of latencies) {
    const sample = begin();
    sample.firstByteMs = ms / 2;
    tally.ended(sample, { kind: 'succeeded' }, ms);
  }
  for (let nth = 0; nth < failed; nth++) tally.ended(begin(), { kind: 'failed', name: '503' }, 1);
  return tally;
}

const verdictsOf = (text: string, tally: Tally, ratePerSecond = 4) =>
  judge(parseThresholds(text), { tally, ratePerSecond }).map(({ threshold, found, broken }) => [
    threshold,
    found,
    broken,
  ]);

describe('thresholds', () => {
  it('are judged by what was found', () => {
    const tally = tallyOf([100, 100, 100, 400], 1);
    const text =
      'p50>101ms, p100>=400ms,p100>400ms,mean>170ms,max<1s,first-byte.p50<60ms,first-byte.max>0.2s';
    expect(verdictsOf(text, tally)).toEqual([
      ['p50>101ms', '100.03 ms', false],
      ['p100>=400ms', '400 ms', true],
      ['p100>400ms', '400 ms', false],
      ['mean>170ms', '175 ms', true],
      ['max<1s', '400 ms', true],
      ['first-byte.p50<60ms', '50.015 ms', true],
      ['first-byte.max>0.2s', '200 ms', false],
    ]);
    expect(verdictsOf('errors>0,errors>1,errors>=20%,errors>20%,rate<4,rate<=4,rate < 4.5', tally)).toEqual([
      ['errors>0', '1', true],
      ['errors>1', '1', false],
      ['errors>=20%', '20 %', true],
      ['errors>20%', '20 %', false],
      ['rate<4', '4', false],
      ['rate<=4', '4', true],
      ['rate < 4.5', '4', true],
    ]);
  });

  it('that nothing is known about are broken', () => {
    const nothing = 'there is nothing to tell it from';
    expect(verdictsOf('p99>2s,errors>1%,errors>5', tallyOf([]))).toEqual([
      ['p99>2s', nothing, true],
      ['errors>1%', nothing, true],
      ['errors>5', nothing, true],
    ]);
    expect(verdictsOf('p99>2s,errors>90%', tallyOf([], 3))).toEqual([
      ['p99>2s', nothing, true],
      ['errors>90%', '100 %', true],
    ]);
  });

  it.each([
    ['', /^"" is no threshold; it takes what must not be, .*'p99>2s,errors>1%'/],
    ['p99>2s,', /^"" is no threshold/],
    ['p99', /^"p99" is no threshold/],
    ['p99=2s', /^"p99=2s" is no threshold/],
    ['p99>>2s', /^">2s" in "p99>>2s" is no limit; it takes a duration such as 500ms or 2s$/],
    ['p99>2', /^"2" in "p99>2" is no limit; it takes a duration/],
    [
      'p0>2s',
      /^"p0" in "p0>2s" is no figure; it takes p50, p99\.9 or another percentile, mean, max, first-byte/,
    ],
    ['p101>2s', /^"p101" in/],
    ['p>2s', /^"p" in/],
    ['latency>2s', /^"latency" in "latency>2s" is no figure/],
    ['first-byte>2s', /^"first-byte" in/],
    ['errors>x%', /^"x%" in "errors>x%" is no limit; it takes a number of requests such as 0, or a share/],
    ['errors>-1', /^"-1" in/],
    ['errors>150%', /^"150%" in "errors>150%" is no limit; .* such as 1%, of 100% at most$/],
    ['errors>100.1%', /^"100.1%" in/],
    ['rate<5%', /^"5%" in "rate<5%" is no limit; it takes a number such as 4\.5$/],
  ])('%j is told to be wrong', (text, message) => {
    const parse = () => parseThresholds(text);
    expect(parse).toThrow(RangeError);
    expect(parse).toThrow(message);
  });
});
