import { describe, expect, it } from 'vitest';
import { KNOBS, parseTurned, setupOf, standingOf } from '../../src/simulate/setup.js';

describe('the settings of what is tried', () => {
  it('are those of a rented endpoint where nothing is said', () => {
    expect(setupOf({})).toEqual({
      minLoad: 1,
      targetUtil: 0.9,
      coldMult: 3,
      minColdLoad: 0,
      coldWorkers: 0,
      minWorkers: 5,
      maxWorkers: 16,
      inactivityTimeoutMs: 'off',
      targetQueueTimeMs: 10_000,
      maxQueueTimeMs: 30_000,
      clientTimeoutMs: 300_000,
      createTimeMs: 30_000,
      loadTimeMs: 120_000,
      startTimeMs: 15_000,
    });
  });

  it('are turned by name', () => {
    const turned = parseTurned(
      ' target-util=0.7,max-workers=20 inactivity-timeout=never, max-queue-time=none',
    );
    expect(setupOf(turned)).toEqual({
      ...setupOf({}),
      targetUtil: 0.7,
      maxWorkers: 20,
      inactivityTimeoutMs: 'never',
      maxQueueTimeMs: Number.POSITIVE_INFINITY,
    });
    expect(standingOf(turned)).toMatchObject({ 'target-util': '0.7', 'min-load': '1' });
    expect(setupOf(parseTurned('inactivity-timeout=20s')).inactivityTimeoutMs).toBe(20_000);
    expect(setupOf(parseTurned('inactivity-timeout=0')).inactivityTimeoutMs).toBe('off');
    expect(parseTurned('')).toEqual({});
  });

  it.each([
    ['target-util', '"target-util" has not the form of a setting; it takes some such as target-util=0.7'],
    ['target-utils=1', `there is no setting "target-utils"; it takes ${Object.keys(KNOBS).join(', ')}`],
    ['min-load=1,min-load=2', '"min-load" is given twice'],
    ['target-util=1.1', '"target-util" is "1.1"; it takes a number over 0 and up to 1'],
    ['target-util=0', '"target-util" is "0"; it takes a number over 0 and up to 1'],
    ['min-load=-1', '"min-load" is "-1"; it takes a number from 0'],
    [
      'inactivity-timeout=soon',
      '"inactivity-timeout" is "soon"; it takes a duration such as 500ms, 10s or 2m, up to 24 days; off or never',
    ],
    ['min-workers=17', '"min-workers" is 17, more than "max-workers", which is 16'],
  ])('%s is told what is wrong with it', (text, problem) => {
    expect(() => setupOf(parseTurned(text))).toThrow(problem);
  });
});
