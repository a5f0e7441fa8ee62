import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { descriptorLimit, limitIn, sharesOf } from '../../src/net/descriptors.js';

it('clients and the model server share what the worker does not need itself', () => {
  expect(sharesOf(1_024, true)).toEqual({ clients: 576, model: 384 });
  expect(sharesOf(20_000, true)).toEqual({ clients: 11_961, model: 7_975 });
});

it('clients have all of it where there is no model server', () => {
  expect(sharesOf(1_024, false)).toEqual({ clients: 960, model: 0 });
});

it('a few are served however little there is', () => {
  expect(sharesOf(32, true)).toEqual({ clients: 8, model: 8 });
  expect(sharesOf(32, false)).toEqual({ clients: 8, model: 0 });
});

it('without a limit there is none', () => {
  const all = Number.POSITIVE_INFINITY;
  expect([sharesOf(all, true), limitIn('Max open files            unlimited            unlimited')]).toEqual([
    { clients: all, model: all },
    all,
  ]);
});

it('the limit is the one that is in force', () => {
  const limits = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max processes             31337                31337                processes ',
    'Max open files            1024                 524288               files     ',
  ];
  expect(limitIn(limits.join('\n'))).toBe(1_024);
  const own = execFileSync('sh', ['-c', `cat /proc/${process.pid}/limits`], { encoding: 'utf8' });
  expect(own).toContain(`Max open files            ${descriptorLimit()}`);
});
