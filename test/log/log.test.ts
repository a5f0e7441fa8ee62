import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLog, type LogOptions, silentLog } from '../../src/log.js';
import { LOG_LEVELS } from '../../src/log-levels.js';

/** A log and what it has written. */
async function logInto(options: Partial<LogOptions> = {}) {
  const chunks: string[] = [];
  const destination = new Writable({
    write: (chunk, _encoding, done) => {
      chunks.push(String(chunk));
      done();
    },
  });
  const log = await createLog({ level: 'info', terminal: false, destination, ...options });
  return { log, written: () => chunks.join('') };
}

describe('not on a terminal', () => {
  it('a line is JSON, with the message and the fields', async () => {
    const { log, written } = await logInto();
    log.info('it %s', { event: 'a', nested: { b: 1 } });
    log.warn('alone');
    const lines = written()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { level: 30, time: expect.any(Number), event: 'a', nested: { b: 1 }, msg: 'it %s' },
      { level: 40, time: expect.any(Number), msg: 'alone' },
    ]);
  });

  it('what JSON does not know is written all the same', async () => {
    const { log, written } = await logInto();
    const circle: Record<string, unknown> = { big: 1n };
    circle.self = circle;
    log.info('odd', { circle, nothing: undefined });
    expect(JSON.parse(written())).toMatchObject({ msg: 'odd', circle: { big: 1 } });
  });
});

it('on a terminal a line is for people, and the fields are left out', async () => {
  const { log, written } = await logInto({ terminal: true });
  log.error('it broke', { event: 'a-field' });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
  expect(written()).toMatch(/^\[\d\d:\d\d:\d\d\] \x1b\[31mERROR\x1b\[39m: \x1b\[36mit broke\x1b\[39m\n$/);
});

it('on a terminal without colours a line has none', async () => {
  const { log, written } = await logInto({ terminal: true, color: false });
  log.error('it broke');
  expect(written()).toMatch(/^\[\d\d:\d\d:\d\d\] ERROR: it broke\n$/);
});

describe.each([false, true])('secrets, on a terminal: %s', (terminal) => {
  it.each([
    'mtoken',
    'masterToken',
    'signature',
    'authorization',
    'cookie',
    'api_key',
    'apiKey',
    'payload',
    'body',
  ])('%s is shown neither at the top nor below', async (field) => {
    const { log, written } = await logInto({ terminal });
    log.info('sent', { [field]: 'a-secret', deep: { [field]: { of: 'a-secret' } }, other: 'shown' });
    expect(written()).not.toContain('a-secret');
    if (!terminal) {
      expect(JSON.parse(written())).toMatchObject({
        [field]: '[redacted]',
        deep: { [field]: '[redacted]' },
        other: 'shown',
      });
    }
  });

  it('the fields of the caller are left as they are', async () => {
    const { log } = await logInto({ terminal });
    const fields = { mtoken: 'a-secret', deep: { body: 'a-secret' } };
    log.info('sent', fields);
    expect(fields).toEqual({ mtoken: 'a-secret', deep: { body: 'a-secret' } });
  });
});

describe('the level', () => {
  it.each(
    LOG_LEVELS.map((level, index) => [level, ['debug', 'info', 'warn', 'error'].slice(index)] as const),
  )('%s lets %j through', async (level, through) => {
    const { log, written } = await logInto({ level });
    for (const name of ['debug', 'info', 'warn', 'error'] as const) log[name](name);
    const lines = written()
      .split('\n')
      .filter((line) => line !== '');
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(through);
  });
});

it('the silent log has the same methods', async () => {
  const { log } = await logInto();
  expect(Object.keys(silentLog).sort()).toEqual(Object.keys(log).sort());
});
