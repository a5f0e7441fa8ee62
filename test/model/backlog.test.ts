import { expect, it } from 'vitest';
import type { ReadinessEvent } from '../../machines/readiness-facts.js';
import { Backlog } from '../../src/model/backlog.js';
import { redactor } from '../../src/redact.js';
import { RecordingLog } from '../../src/testing/recording-log.js';

const LOADED: ReadinessEvent = { type: 'log.loaded' };

const failed = (line: string): ReadinessEvent => ({ type: 'log.hadFailed', line });

/** What is made of lines that stood in the log before. */
function made(lines: readonly string[], health: string | null = null) {
  const log = new RecordingLog();
  const told: ReadinessEvent[] = [];
  const backlog = new Backlog({
    model: {
      url: 'http://127.0.0.1:9',
      command: null,
      log: '/var/log/model.log',
      logs: { loaded: ['is ready'], failed: [{ prefix: 'FATAL' }], info: ['layers'] },
      health,
      readiness: 'both',
      readinessIsDefault: true,
    },
    log,
    tell: (event) => told.push(event),
    redact: redactor({ HF_TOKEN: 'hf_1234567890' }),
  });
  for (const line of lines) backlog.hear(line);
  const early = [...told, ...log.lines];
  backlog.end();
  return { early, told, logged: log.lines };
}

it.each<[string, string[], ReadinessEvent[]]>([
  ['nothing, of no lines', [], []],
  ['nothing, of lines that say nothing of a load', ['INFO', '7 layers'], []],
  ['that the model has loaded', ['INFO', 'is ready', '7 layers'], [LOADED]],
  ['that it has loaded after a run that failed', ['FATAL: old', 'is ready'], [LOADED]],
  ['once, that it has loaded, in however many runs', ['is ready', 'is ready'], [LOADED]],
  ['that it had failed', ['FATAL: old', 'INFO starting'], [failed('FATAL: old')]],
  ['that it had failed, as last it did', ['FATAL: one', 'FATAL: two'], [failed('FATAL: two')]],
  ['that it had failed after a run that loaded', ['is ready', 'FATAL: two'], [failed('FATAL: two')]],
])('old lines tell %s', (_, lines, events) => {
  const { early, told } = made(lines);
  expect([early, told]).toEqual([[], events]);
});

it('an old failure after the model had loaded leaves it to the health route, where there is one', () => {
  expect(made(['is ready', 'FATAL: of one request'], '/health').told).toEqual([LOADED]);
  expect(made(['FATAL: one', 'FATAL: two'], '/health').told).toEqual([failed('FATAL: two')]);
});

it('the one that counts is passed on, and said to be old', () => {
  expect(made(['is ready', '7 layers']).logged).toEqual([
    {
      level: 'info',
      message: 'the model server said before the worker began: is ready',
      fields: { event: 'model.log.loaded' },
    },
  ]);
  expect(made(['is ready', 'FATAL: two'], '/health').logged).toEqual([
    {
      level: 'warn',
      message: 'the model server said before the worker began: FATAL: two',
      fields: { event: 'model.log.failed' },
    },
  ]);
});

it('what is told of a line is bounded', () => {
  const { told, logged } = made([`FATAL${'!'.repeat(9_000)}`]);
  const said = `FATAL${'!'.repeat(495)}`;
  expect(told).toEqual([failed(said)]);
  expect(logged[0]?.message).toBe(`the model server said before the worker began: ${said}`);
});

it('what is told of a line has no secret, nor the beginning of one where it is cut', () => {
  const { told, logged } = made([`FATAL ${'x'.repeat(490)}hf_1234567890`]);
  const said = `FATAL ${'x'.repeat(490)}[red`;
  expect(told).toEqual([failed(said)]);
  expect(logged[0]?.message).toBe(`the model server said before the worker began: ${said}`);
});
