import { describe, expect, it } from 'vitest';
import type { RequestEvent } from '../../machines/events.js';
import { Sieve } from '../../src/inspect/sieve.js';

const event = (type: RequestEvent['type'], id: number) => ({ type, id }) as RequestEvent;

describe('the requests of a second that are noted', () => {
  it('are all of them while they are few, those that began earlier included', () => {
    const sieve = new Sieve();
    for (let id = 1; id <= 90; id++) expect(sieve.lets(event('request.started', id))).toBe(true);
    for (let id = 1; id <= 90; id++) expect(sieve.lets(event('request.errored', id))).toBe(true);
    expect(sieve.lets(event('request.succeeded', 1000))).toBe(true);
    expect(sieve.lets(event('request.rejected', 1001))).toBe(true);
    expect(sieve.nextSecond()).toBe(0);
  });

  it('are a hundred where there are thousands, each with its end, and the others are counted', () => {
    const sieve = new Sieve();
    const let_ = (type: RequestEvent['type']) =>
      Array.from({ length: 5_000 }, (_, id) => id).filter((id) => sieve.lets(event(type, id)));
    const started = let_('request.started');
    expect(started).toEqual(Array.from({ length: 100 }, (_, id) => id));
    expect(let_('request.succeeded')).toEqual(started);
    expect([sieve.nextSecond(), sieve.nextSecond()]).toEqual([4_900, 0]);
    expect(sieve.lets(event('request.started', 6_000))).toBe(true);
  });
});
