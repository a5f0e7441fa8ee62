import { describe, expect, it } from 'vitest';
import { type Exit, endingOf, NO_ENDING, withLastLines, withoutLastLines } from '../../machines/endings.js';

const EXIT: Exit = { code: 0, signal: null, outOfMemory: false, lastLines: [] };

describe('how a process has ended, in words', () => {
  it.each<[Partial<Exit>, string]>([
    [{ code: 0 }, 'exit code 0'],
    [{ code: 1 }, 'exit code 1'],
    [{ code: 126 }, 'exit code 126 (the command can not be executed)'],
    [{ code: 127 }, 'exit code 127 (the command was not found)'],
    [{ code: 139 }, 'exit code 139 (killed by SIGSEGV)'],
    [{ code: 200 }, 'exit code 200'],
    [{ code: null, signal: 'SIGKILL' }, 'killed by SIGKILL'],
    [{ code: null, signal: null }, 'killed by a signal'],
    [{ code: null, signal: 'SIGKILL', outOfMemory: true }, 'the kernel killed it for want of memory'],
    [{ code: 137, outOfMemory: true }, 'the kernel killed it for want of memory'],
    [
      { code: 1, outOfMemory: true },
      'exit code 1; while it ran the kernel killed a process for want of memory',
    ],
    [
      { code: null, signal: 'SIGTERM', outOfMemory: true },
      'killed by SIGTERM; while it ran the kernel killed a process for want of memory',
    ],
  ])('%j', (exit, reason) => {
    expect(endingOf({ ...EXIT, ...exit }).reason).toBe(reason);
  });

  it('is hopeless where the command itself is wrong', () => {
    const hopeless = [0, 1, 126, 127, 137].filter((code) => endingOf({ ...EXIT, code }).isHopeless);
    expect(hopeless).toEqual([126, 127]);
    expect(endingOf({ ...EXIT, code: null, signal: 'SIGKILL' }).isHopeless).toBe(false);
  });

  it('has the sentence alone in its first line, and what was said last below', () => {
    const ending = endingOf({ ...EXIT, code: 1, lastLines: ['loading', 'no such model'] });
    expect(withLastLines('it died', ending)).toBe('it died\nits last lines:\nloading\nno such model');
    expect(withLastLines('it died', NO_ENDING)).toBe('it died');
    expect(withoutLastLines(withLastLines('it died', ending))).toBe('it died');
    expect(withoutLastLines('it died')).toBe('it died');
  });
});
