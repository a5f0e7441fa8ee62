import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ReadinessEvent } from '../../machines/readiness-facts.js';
import type { CompiledModel } from '../../src/backend/index.js';
import { hearLines, watchLog } from '../../src/model/watch-log.js';
import { redactor } from '../../src/redact.js';
import { RecordingLog } from '../../src/testing/recording-log.js';

const PROGRESS_PAUSE_MS = 100;

const redact = redactor({ HF_TOKEN: 'hf_1234567890' });

const MODEL: CompiledModel = {
  url: 'http://127.0.0.1:9',
  command: null,
  log: null,
  logs: { loaded: ['is ready'], failed: [/^out of memory/], info: [{ prefix: 'INFO:' }] },
  health: null,
  readiness: 'log',
  readinessIsDefault: true,
};

/** Watches a log that has some lines already. */
function watch(old: string) {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-watch-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'model.log');
  writeFileSync(path, old);
  const log = new RecordingLog();
  const told: ReadinessEvent[] = [];
  let wake = () => {};
  const stop = new AbortController();
  const watching = watchLog({
    model: { ...MODEL, log: path },
    log,
    tell: (event) => {
      told.push(event);
      wake();
    },
    now: () => 0,
    redact,
    signal: stop.signal,
  });
  return {
    path,
    log,
    told,
    async until(count: number) {
      while (told.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async stop() {
      stop.abort();
      await watching;
    },
  };
}

it("tells what the new lines of a model's log mean, and passes them on", async () => {
  const { path, log, told, until, stop } = watch('is ready\n');
  await until(1);
  const before = log.lines.length;
  appendFileSync(
    path,
    `nothing to tell\nINFO: 7 GPUs\nthe model is ready\nout of memory ${'!'.repeat(600)}\n`,
  );
  await until(4);
  await stop();
  const failure = `out of memory ${'!'.repeat(486)}`;
  expect(told.slice(1)).toEqual([
    { type: 'log.progress' },
    { type: 'log.loaded' },
    { type: 'log.failed', line: failure },
  ]);
  expect(log.lines.slice(before)).toEqual([
    { level: 'info', message: 'the model server said: INFO: 7 GPUs', fields: { event: 'model.log.info' } },
    {
      level: 'info',
      message: 'the model server said: the model is ready',
      fields: { event: 'model.log.loaded' },
    },
    { level: 'warn', message: `the model server said: ${failure}`, fields: { event: 'model.log.failed' } },
  ]);
});

it('of a large log that was there before, tells one thing alone', async () => {
  const lines = `${'INFO: 7 GPUs\nout of memory\n'.repeat(100_000)}the model is ready\n`;
  const { path, log, told, until, stop } = watch(lines);
  await until(1);
  appendFileSync(path, 'more\n');
  await until(2);
  await stop();
  expect(told).toEqual([{ type: 'log.loaded' }, { type: 'log.progress' }]);
  expect(log.lines).toHaveLength(1);
});

it('tells ten times a second at most that there are new lines, however many there are', () => {
  const told: [number, ReadinessEvent][] = [];
  let nowMs = 5;
  const hear = hearLines({
    model: MODEL,
    log: new RecordingLog(),
    tell: (event) => told.push([nowMs, event]),
    now: () => nowMs,
    redact,
  });
  for (; nowMs < 5 + 3 * PROGRESS_PAUSE_MS; nowMs++) for (let line = 0; line < 20; line++) hear('a line');
  nowMs = 5_000;
  hear('a line');
  expect(told).toEqual([5, 105, 205, 5_000].map((atMs) => [atMs, { type: 'log.progress' }]));
});

it('what is told of a line has no secret, nor the beginning of one where it is cut', () => {
  const told: ReadinessEvent[] = [];
  const log = new RecordingLog();
  const hear = hearLines({ model: MODEL, log, tell: (event) => told.push(event), now: () => 0, redact });
  hear('INFO: uses hf_1234567890');
  const said = `out of memory ${'x'.repeat(480)}`;
  hear(`${said}hf_1234567890`);
  expect(told.slice(1)).toEqual([{ type: 'log.failed', line: `${said}[redac` }]);
  expect(log.lines.map(({ message }) => message)).toEqual([
    'the model server said: INFO: uses [redacted]',
    `the model server said: ${said}[redac`,
  ]);
});
