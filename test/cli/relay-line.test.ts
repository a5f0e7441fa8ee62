import { describe, expect, it } from 'vitest';
import { relayLine } from '../../src/cli/relay-line.js';
import { type Line, RecordingLog } from '../../src/testing/recording-log.js';

/** What is told of a line of worker 3. */
function told(line: string): Line[] {
  const log = new RecordingLog();
  relayLine(line, 3, log);
  return log.lines;
}

describe('a line of a worker', () => {
  it.each([
    [10, 'debug'],
    [20, 'debug'],
    [30, 'info'],
    [35, 'info'],
    [40, 'warn'],
    [50, 'error'],
    [60, 'error'],
  ] as const)('of level %i is told as %s, with its fields and without its time', (level, name) => {
    const line = { level, time: 1_795_497_950_300, event: 'listening', port: 3_000, msg: 'it listens' };
    expect(told(JSON.stringify(line))).toEqual([
      {
        level: name,
        message: 'worker 3: it listens',
        fields: { event: 'listening', port: 3_000, worker: 3 },
      },
    ]);
  });

  it('is that of the worker who printed it, whatever it says', () => {
    expect(told('{"level":30,"msg":"x","worker":99}')[0]?.fields).toEqual({ worker: 3 });
  });

  it('whose level is none that is known is told all the same', () => {
    for (const level of ['"loud"', 'null', '-5', '{}']) {
      expect(told(`{"level":${level},"msg":"x"}`)).toEqual([
        { level: expect.stringMatching(/^(debug|info)$/), message: 'worker 3: x', fields: { worker: 3 } },
      ]);
    }
  });

  it.each([
    'loading weights: 40 %',
    '{"level":30,"msg":"cut in the mid',
    '{"step":12,"loss":0.3}',
    '{"msg":"no level"}',
    '{}',
    '[30,"msg"]',
    '  {"level":30,"msg":"indented"}',
  ])('that is none of the log is told as it is: %s', (line) => {
    expect(told(line)).toEqual([{ level: 'info', message: `worker 3: ${line}`, fields: { worker: 3 } }]);
  });
});
