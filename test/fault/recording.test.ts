import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readRecording } from '../../src/inspect/recording.js';
import { startWithEngine } from '../support/faults-engine.js';
import { got } from '../support/faults-outcomes.js';
import { MAIN, Program } from '../support/process.js';
import { expectSamePath } from '../support/replay.js';
import { temporaryFolder } from '../support/worker-program.js';

it('a worker whose model crashes and comes back is recorded, by itself and from outside, and goes the same way again', async () => {
  const folder = temporaryFolder();
  const [whole, followed] = [join(folder, 'whole.jsonl'), join(folder, 'followed.jsonl')];
  const { worker, ask, behave } = await startWithEngine({ env: { TSWORKER_RECORD: whole } });
  const serving = await worker.reaches('serving');
  const recorder = new Program(process.execPath, [
    ...[MAIN, 'record', `http://127.0.0.1:${Number(worker.told('listening')[0]?.internalPort)}`],
    ...['--output', followed, '--requests'],
  ]);
  await recorder.find('that it records', () =>
    recorder.lines.find((line) => line.includes('recording.began')),
  );
  await behave({ outOfMemory: true });
  expect((await got(ask())).status).toBe(500);
  const failing = await worker.reaches('failing', serving);
  await worker.reaches('serving', failing);
  worker.kill('SIGTERM');
  await worker.exited;
  expect(await recorder.exited).toEqual({ code: 0, signal: null });

  await expectSamePath(whole, { actor: 'lifecycle', event: 'backend.failed' });
  const seen = readRecording(readFileSync(followed, 'utf8'));
  expect(seen.end).toMatchObject({ ended: 'stopped', events: seen.happenings.length, missed: 0 });
  // How it is, is told twice a second at most: what lasts shorter is in what has happened alone.
  expect(seen.nows.map(({ worker: { state } }) => state)).toEqual(
    expect.arrayContaining(['serving', 'stopped']),
  );
  expect(seen.happenings.filter(({ kind }) => kind === 'request').map(({ event }) => event)).toEqual([
    ...['request.started', 'request.errored'],
  ]);
  const machinesIn = (file: string) =>
    readRecording(readFileSync(file, 'utf8')).happenings.filter(({ machine }) => machine === 'lifecycle');
  expect(machinesIn(followed)).toEqual(machinesIn(whole).slice(0, machinesIn(followed).length));
  expect(machinesIn(followed).at(-1)?.to).toContain('work.stopped');
});
