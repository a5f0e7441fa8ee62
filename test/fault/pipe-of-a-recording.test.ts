import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { messageOf } from '../../src/errors.js';
import { LineFile } from '../../src/inspect/line-file.js';
import { readRecording } from '../../src/inspect/recording.js';
import { Scribe } from '../conformance/scribe.js';
import { startWorker } from '../support/process.js';
import { temporaryFolder } from '../support/worker-program.js';

function open(path: string) {
  const problems: string[] = [];
  return { file: new LineFile({ path, onProblem: (error) => problems.push(messageOf(error)) }), problems };
}

function pipe(): string {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

/** Reads nothing of it. */
function holdOpen(path: string): () => void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  onTestFinished(close);
  return close;
}

describe('a pipe', () => {
  it('is read by its reader, as slowly as that likes', async () => {
    const path = pipe();
    const close = holdOpen(path);
    const { file, problems } = open(path);
    const lines = Array.from({ length: 1_000 }, (_, n) => `${n} ${'x'.repeat(1_000)}`);
    for (const line of lines) expect(file.write(line)).toBe(true);
    const read = readAll(path);
    await file.close();
    close();
    expect(await read).toBe(`${lines.join('\n')}\n`);
    expect([problems, file.lost, lstatSync(path).isFIFO()]).toEqual([[], 0, true]);
  });

  it('whose reader goes is told once, and what it did not read is counted', async () => {
    const path = pipe();
    const close = holdOpen(path);
    const { file, problems } = open(path);
    expect(file.write('read, for all that is known')).toBe(true);
    close();
    expect(file.write('not read')).toBe(true);
    await vi.waitFor(() => expect(problems).toEqual(['who read it has gone']));
    expect(file.write('not even written')).toBe(false);
    await file.close();
    expect(problems).toHaveLength(1);
    expect(file.lost).toBe(2);
  });

  it('whose reader stands still takes no memory, and does not keep its writer from its end', async () => {
    const path = pipe();
    holdOpen(path);
    const { file, problems } = open(path);
    const line = 'x'.repeat(2 ** 20);
    const taken = Array.from({ length: 20 }, () => file.write(line));
    expect(taken).toEqual([...Array(16).fill(true), ...Array(4).fill(false)]);
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const closed = file.close();
    vi.advanceTimersByTime(2_000);
    await closed;
    expect(problems).toEqual(['what was left was not read within 2 s']);
    expect(file.lost).toBe(20);
  });
});

describe('a worker', () => {
  it('records into a pipe, and goes on when the reader of another one goes', async () => {
    const [recording, inspected] = [pipe(), pipe()];
    const recorded = readAll(recording);
    const close = holdOpen(inspected);
    const worker = await start({ TSWORKER_RECORD: recording, TSWORKER_INSPECT: inspected });
    close();
    await worker.logged(({ event }) => event === 'inspect.problem');
    expect((await worker.status()).state).toBe('serving');
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    const { happenings, end } = readRecording(await recorded);
    expect(end).toMatchObject({ ended: 'stopped', events: happenings.length, missed: 0 });
    expect(happenings.some(({ to }) => to?.includes('work.stopped'))).toBe(true);
    expect(worker.told('recording.problem')).toEqual([]);
    expect(messages(worker.told('inspect.problem'))).toEqual([
      unwritable(inspected, 'who read it has gone'),
      expect.stringMatching(/^Stately's inspector was not told of \d+ events$/),
    ]);
  });

  it('ends though the reader of a pipe stands still, and says of another that nobody reads it', async () => {
    const [recording, inspected] = [pipe(), pipe()];
    holdOpen(inspected);
    const worker = await start({ TSWORKER_RECORD: recording, TSWORKER_INSPECT: inspected });
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(messages(worker.told('recording.problem'))).toEqual([
      `the recording can not be written to ${recording}, which TSWORKER_RECORD names, and ends: nobody reads that pipe yet, and who does has to begin first`,
      expect.stringMatching(/^\d+ lines of the recording were not written$/),
    ]);
    expect(messages(worker.told('inspect.problem'))).toEqual([
      unwritable(inspected, 'what was left was not read within 2 s'),
      expect.stringMatching(/^Stately's inspector was not told of \d+ events$/),
    ]);
  });
});

async function start(env: Readonly<Record<string, string>>) {
  const autoscaler = await Scribe.start();
  const stateDir = join(temporaryFolder(), 'state');
  const worker = await startWorker({
    backend: 'test/fault/backends/counted.ts',
    reportTo: autoscaler.url,
    env: { TSWORKER_STATE_DIR: stateDir, PUBLIC_IPADDR: '127.0.0.1', ...env },
  });
  await worker.reaches('serving');
  return worker;
}

/** Resolves with all of it when its last writer has closed it. */
function readAll(path: string): Promise<string> {
  return text(spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout);
}

function unwritable(path: string, problem: string): string {
  return `what is told to Stately's inspector can not be written to ${path}, which TSWORKER_INSPECT or --inspect names: ${problem}`;
}

function messages(lines: readonly { readonly msg: string }[]): string[] {
  return lines.map(({ msg }) => msg);
}
