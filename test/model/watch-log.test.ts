import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ReadinessEvent } from '../../machines/readiness-facts.js';
import { watchLog } from '../../src/model/watch-log.js';
import { RecordingLog } from '../support/recording-log.js';

it("tells what the lines of a model's log mean, and passes them on", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-watch-log-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'model.log');
  writeFileSync(path, 'nothing to tell\nINFO: 7 GPUs\n');
  const log = new RecordingLog();
  const told: ReadinessEvent[] = [];
  let wake = () => {};
  const stop = new AbortController();
  const watching = watchLog({
    model: {
      url: 'http://127.0.0.1:9',
      command: null,
      log: path,
      logs: { loaded: ['is ready'], failed: [/^out of memory/], info: [{ prefix: 'INFO:' }] },
      health: null,
      readiness: 'log',
    },
    log,
    tell: (event) => {
      told.push(event);
      wake();
    },
    signal: stop.signal,
  });
  const until = async (count: number) => {
    while (told.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  await until(2);
  appendFileSync(path, `the model is ready\nout of memory ${'!'.repeat(600)}\n`);
  await until(6);
  stop.abort();
  await watching;
  const failure = `out of memory ${'!'.repeat(486)}`;
  expect(told).toEqual([
    { type: 'log.progress' },
    { type: 'log.progress' },
    { type: 'log.progress' },
    { type: 'log.loaded' },
    { type: 'log.progress' },
    { type: 'log.failed', line: failure },
  ]);
  expect(log.lines).toEqual([
    { level: 'info', message: 'the model server said: INFO: 7 GPUs', fields: { event: 'model.log.info' } },
    {
      level: 'info',
      message: 'the model server said: the model is ready',
      fields: { event: 'model.log.loaded' },
    },
    { level: 'warn', message: `the model server said: ${failure}`, fields: { event: 'model.log.failed' } },
  ]);
});
