import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readRecording } from '../../src/inspect/recording.js';
import { FleetProcess } from '../support/fleet-process.js';
import { MAIN } from '../support/process.js';

it('each worker of a fleet has its own recording, whole, and its own file for Stately', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fleet-recordings-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const fleet = new FleetProcess({
    program: [process.execPath, MAIN],
    backend: 'helloautoscaler',
    options: ['--min-workers', '3', '--max-workers', '3', '--inspect', join(folder, 'told.jsonl')],
    env: { TSWORKER_RECORD: join(folder, 'run.jsonl') },
  });
  const workers = [1, 2, 3];
  await Promise.all(workers.map((worker) => fleet.reaches(worker, 'ready')));
  fleet.program.kill('SIGTERM');
  expect(await fleet.program.exited).toEqual({ code: 0, signal: null });
  expect(readdirSync(folder).toSorted()).toEqual(
    ['run', 'told'].flatMap((name) => workers.map((worker) => `${name}.${worker}.jsonl`)),
  );
  const ends = workers.map((worker) => {
    const { end, happenings } = readRecording(readFileSync(join(folder, `run.${worker}.jsonl`), 'utf8'));
    return { missed: end?.missed, stopped: happenings.some(({ to }) => to?.includes('work.stopped')) };
  });
  expect(ends).toEqual(workers.map(() => ({ missed: 0, stopped: true })));
});
