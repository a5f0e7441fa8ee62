import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import type { EndpointSettings } from '../../src/autoscaler/index.js';
import { EXIT, UserError } from '../../src/cli/exit.js';
import { scalingOf, scalingOptions } from '../../src/cli/scaling-options.js';

/** What a command line wishes of the fleet. */
function wished(...args: string[]): EndpointSettings | undefined {
  const command = new Command('dev').exitOverride().configureOutput({ writeErr: () => {} });
  for (const option of scalingOptions()) command.addOption(option);
  command.parse(args, { from: 'user' });
  return scalingOf(command.opts());
}

/** As of a rented endpoint, but for the four that fit a desk. */
const DESK = {
  minLoad: 1,
  targetUtil: 0.9,
  coldMult: 3,
  minColdLoad: 0,
  coldWorkers: 0,
  minWorkers: 0,
  maxWorkers: 4,
  inactivityTimeoutMs: 60_000,
  targetQueueTimeMs: 10_000,
  maxQueueTimeMs: 30_000,
};

describe('the options that have dev scale', () => {
  it('are no wish where none is given', () => {
    expect(wished()).toBeUndefined();
    expect(scalingOf({ port: '3000', endpoint: 'e' })).toBeUndefined();
  });

  it.each<[string[], Partial<EndpointSettings>]>([
    [['--min-load', '0'], { minLoad: 0 }],
    [['--target-util', '0.5'], { targetUtil: 0.5 }],
    [['--cold-mult', '1.5'], { coldMult: 1.5 }],
    [['--min-cold-load', '20'], { minColdLoad: 20 }],
    [['--cold-workers', '2'], { coldWorkers: 2 }],
    [['--min-workers', '3'], { minWorkers: 3 }],
    [['--max-workers', '9'], { maxWorkers: 9 }],
    [['--inactivity-timeout', '20s'], { inactivityTimeoutMs: 20_000 }],
    [['--inactivity-timeout', 'off'], { inactivityTimeoutMs: 'off' }],
    [['--inactivity-timeout', 'never'], { inactivityTimeoutMs: 'never' }],
    [['--target-queue-time', '500ms'], { targetQueueTimeMs: 500 }],
    [['--max-queue-time', '2m'], { maxQueueTimeMs: 120_000 }],
    [['--max-queue-time', 'none'], { maxQueueTimeMs: Number.POSITIVE_INFINITY }],
    [
      ['--min-load', '0', '--max-workers', '2', '--min-workers', '2'],
      { minLoad: 0, maxWorkers: 2, minWorkers: 2 },
    ],
  ])('%j is a wish, and all others stand as on a desk', (args, given) => {
    expect(wished(...args)).toMatchObject({ ...DESK, ...given });
  });

  it('say what they do and what stands where they are left out', () => {
    const told = new Map(scalingOptions().map(({ long, description }) => [long, description]));
    expect([...told.keys()]).toEqual([
      '--min-load',
      '--target-util',
      '--cold-mult',
      '--min-cold-load',
      '--cold-workers',
      '--min-workers',
      '--max-workers',
      '--inactivity-timeout',
      '--target-queue-time',
      '--max-queue-time',
    ]);
    expect(told.get('--max-workers')).toBe('Scale. So many there are at most. (4)');
    expect(told.get('--target-util')).toBe('Scale. How much of the capacity the load may take. (0.9)');
  });

  it.each([
    [['--target-util', '0'], /^--target-util is "0"; it takes .+\.$/],
    [['--target-util', '1.1'], /^--target-util is "1.1"; it takes .+\.$/],
    [['--max-workers', '0'], /^--max-workers is "0"; it takes .+\.$/],
    [['--min-workers', '1.5'], /^--min-workers is "1.5"; it takes .+\.$/],
    [['--min-load', '-1'], /^--min-load is "-1"; it takes .+\.$/],
    [['--inactivity-timeout', 'soon'], /^--inactivity-timeout is "soon"; it takes .+\.$/],
    [['--min-workers', '5'], /^--min-workers is 5, more than --max-workers, which is 4\.$/],
  ])('%j is told as a mistake, with the option', (args, message) => {
    const wish = () => wished(...args);
    expect(wish).toThrow(UserError);
    expect(wish).toThrow(message);
    expect(wish).toThrow(expect.objectContaining({ exitCode: EXIT.usage.code }));
  });
});
