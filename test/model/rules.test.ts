import { describe, expect, it } from 'vitest';
import type { LogRules } from '../../src/backend/types.js';
import { compileRules } from '../../src/model/rules.js';

/** What a vLLM log says, as a backend would write it down. */
const RULES: LogRules = {
  loaded: ['Application startup complete', /^INFO .*ready in \d+ s$/],
  failed: [{ prefix: 'Traceback' }, /CUDA (error|out of memory)/i],
  info: ['Downloading', { prefix: 'WARNING' }],
};

describe('a line of the log means', () => {
  const meaningOf = compileRules(RULES);

  it.each([
    ['INFO:     Application startup complete.', 'loaded'],
    ['INFO model ready in 31 s', 'loaded'],
    ['INFO model ready in 31 s, or so', null],
    ['Traceback (most recent call last):', 'failed'],
    ['RuntimeError: cuda out of memory', 'failed'],
    ['Downloading shards: 50%', 'info'],
    ['WARNING low memory', 'info'],
    ['a WARNING within', null],
    ['application startup complete', null],
    ['', null],
  ])('%j: %s', (line, meaning) => {
    expect(meaningOf(line)).toBe(meaning);
  });

  it('a log line with "Traceback" in a user\'s prompt marks nothing failed where the rule is a prefix', () => {
    expect(meaningOf('INFO prompt: "why does Python print Traceback?"')).toBeNull();
    expect(compileRules({ failed: ['Traceback'] })('INFO prompt: "Traceback?"')).toBe('failed');
    expect(compileRules({ failed: [/^Traceback/] })('INFO prompt: "Traceback?"')).toBeNull();
  });

  it('failed rather than loaded, and loaded rather than info, where several rules match', () => {
    const rules = { info: ['x'], loaded: ['xx'], failed: ['xxx'] };
    expect(['x', 'xx', 'xxx'].map(compileRules(rules))).toEqual(['info', 'loaded', 'failed']);
  });

  it('nothing where there are no rules', () => {
    expect(compileRules({})('Traceback')).toBeNull();
  });
});

describe('a regular expression', () => {
  it.each(['g', 'y', 'gy'])(
    'with the flags %s matches the same line each time, and is left as it was',
    (flags) => {
      const rule = new RegExp('ready', flags);
      rule.lastIndex = 3;
      const meaningOf = compileRules({ loaded: [rule] });
      expect(Array.from({ length: 5 }, () => meaningOf('ready'))).toEqual(Array(5).fill('loaded'));
      expect(rule.lastIndex).toBe(3);
    },
  );

  it('that is sticky matches at the beginning alone', () => {
    expect(compileRules({ loaded: [/ready/y] })('not ready')).toBeNull();
  });

  it('sees the first 8 KiB of a line and no more, so that a line of megabytes costs little', () => {
    const meaningOf = compileRules({ loaded: ['ready'], failed: [/(a+)+b$/] });
    expect(meaningOf(`${'.'.repeat(8_187)}ready${'.'.repeat(5_000_000)}`)).toBe('loaded');
    expect(meaningOf(`${'.'.repeat(8_188)}ready`)).toBeNull();
  });
});
