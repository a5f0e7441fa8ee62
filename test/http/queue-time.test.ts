import { describe, expect, it } from 'vitest';
import { waitIsTooLong } from '../../src/http/queue-time.js';

describe('a request is refused that would wait longer than its route allows', () => {
  it.each<[expectedMs: number, maxQueueMs: number, maxPerf: number, refused: object | undefined]>([
    [0, 30_000, 10, undefined],
    [30_000, 30_000, 10, undefined],
    [
      30_001,
      30_000,
      10,
      { message: 'The expected wait is 30.0 s; this route allows 30 s.', headers: { 'Retry-After': '1' } },
    ],
    [
      42_500,
      30_000,
      10,
      { message: 'The expected wait is 42.5 s; this route allows 30 s.', headers: { 'Retry-After': '13' } },
    ],
    [
      1e9,
      500,
      10,
      {
        message: 'The expected wait is 1000000.0 s; this route allows 0.5 s.',
        headers: { 'Retry-After': '3600' },
      },
    ],
    // How fast the worker is is not known.
    [1e9, 500, 0, undefined],
    [1e300, Number.POSITIVE_INFINITY, 10, undefined],
  ])('%d ms where %d ms are allowed, at %d units/s', (expectedMs, maxQueueMs, maxPerf, refused) => {
    const error = waitIsTooLong(expectedMs, { maxQueueMs }, maxPerf);
    if (refused === undefined) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ code: 'queue_time_exceeded', status: 429, ...refused });
  });
});
