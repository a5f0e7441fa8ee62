import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Happening } from '../../src/inspect/contract.js';
import { readRecording } from '../../src/inspect/recording.js';
import { Program } from '../support/process.js';
import { run } from '../support/run-cli.js';
import { quietBackend, serve } from '../support/worker.js';

function file(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-replay-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'run.jsonl'), text);
  return join(folder, 'run.jsonl');
}

const UNKNOWN =
  'the recording does not say how many events it should hold: an actor without a gap may lack its end, or be missing as a whole\n';

const HEADER = '{"recording":1,"version":"1","machines":{},"backend":"b","startedAtMs":1}\n';

describe('tsworker replay', () => {
  it('of a file that is none, or no recording, says so', async () => {
    const highlighted = (path: string) => ['graph', '--format', 'svg', '--highlight', path];
    for (const args of [['replay', '/no/such.jsonl', '--assert'], highlighted('/no/such.jsonl')]) {
      expect(await run(args)).toEqual({
        code: 2,
        stdout: '',
        stderr: `error: /no/such.jsonl: it can not be read: ENOENT: no such file or directory, open '/no/such.jsonl'.\n`,
      });
    }
    const other = file('{"hello":1}\n');
    for (const args of [['replay', other], highlighted(other)]) {
      expect(await run(args)).toEqual({
        code: 2,
        stdout: '',
        stderr: `error: ${other}: line 1: it is not the beginning of a recording.\n`,
      });
    }
  });

  it('on a port that is taken says so, with the exit code for that', async () => {
    const { internalPort } = await serve(quietBackend({ routes: { '/run': { handle: () => 'ok' } } }));
    expect(await run(['replay', file(HEADER), '--port', String(internalPort)])).toEqual({
      code: 69,
      stdout: '',
      stderr: expect.stringMatching(`^error: can not listen on port ${internalPort}: .*EADDRINUSE.*\n$`),
    });
  });

  it('asserts nothing of a recording that has no beginning of anything', async () => {
    expect(await run(['replay', file(HEADER), '--assert'])).toMatchObject({
      code: 1,
      stdout:
        'nothing can be asserted: no machine was recorded from its beginning\n' +
        `${UNKNOWN}the recording was broken off before its first event: it says nothing of what came then\n`,
    });
  });

  it('asserts a recording with a gap up to it, and says where it is and how the recording ends', async () => {
    const recording = file('');
    const backend = quietBackend({ routes: { '/run': { handle: () => 'ok' } } });
    const { worker } = await serve(backend, { TSWORKER_RECORD: recording });
    await worker.stop('it is enough');
    const lines = readFileSync(recording, 'utf8').trimEnd().split('\n');
    const own = lines.flatMap((line) => {
      const { actor, seq } = JSON.parse(line) as Partial<Happening>;
      return actor === 'lifecycle' && seq !== undefined ? [{ line, seq }] : [];
    });
    const gappy = lines.filter((line) => line !== own[2]?.line && !line.startsWith('{"ended"'));
    const { happenings } = readRecording(readFileSync(recording, 'utf8'));
    const [last, events] = [happenings.at(-1)?.seq, happenings.length];
    const gap = `lifecycle is asserted up to event ${own[1]?.seq}: from there to event ${own[3]?.seq} there is a gap\n`;
    const outcomes = [
      ['', `${UNKNOWN}the recording was broken off after event ${last}: it says nothing of what came then\n`],
      [
        '{"ended":"full","atMs":1}\n',
        `${UNKNOWN}the recording was full after event ${last}: it says nothing of what came then\n`,
      ],
      ['{"ended":"stopped","atMs":1}\n', UNKNOWN],
      [
        `{"ended":"stopped","atMs":1,"events":${events},"missed":0}\n`,
        '1 event is missing from the recording: an actor may be missing as a whole\n',
      ],
    ] as const;
    for (const [end, said] of outcomes) {
      writeFileSync(recording, `${gappy.join('\n')}\n${end}`);
      const { code, stdout } = await run(['replay', recording, '--assert']);
      const [first = '', ...others] = stdout.split(/(?<=\n)/);
      expect(first).toMatch(/^the same path: \d+ events of \d+ actors lead where they led\n$/);
      expect([code, others.join('')]).toEqual([0, gap + said]);
    }
  });

  it('tells of what is missing at the end of an actor', async () => {
    const recording = file('');
    const backend = quietBackend({ routes: { '/run': { handle: () => 'ok' } } });
    const { worker } = await serve(backend, { TSWORKER_RECORD: recording });
    await worker.stop('it is enough');
    const lines = readFileSync(recording, 'utf8').trimEnd().split('\n');
    const own = lines.filter((line) => (JSON.parse(line) as Partial<Happening>).actor === 'lifecycle');
    expect(own.at(-1)).toContain('actor.stopped');
    const others = lines.filter((line) => !own.slice(-2).includes(line));
    writeFileSync(recording, `${others.join('\n')}\n`);
    const { code, stdout } = await run(['replay', recording, '--assert']);
    expect([code, stdout.split('\n').slice(1)]).toEqual([
      0,
      [
        '2 events are missing from the recording: an actor may be missing as a whole',
        'no end is recorded of lifecycle',
        '',
      ],
    ]);
  });

  it('with a worker that records itself: the path is the same', async () => {
    const recording = file('');
    const backend = quietBackend({ routes: { '/run': { handle: () => 'ok' } } });
    const { worker } = await serve(backend, { TSWORKER_RECORD: recording });
    await worker.stop('it is enough');
    expect(await run(['replay', recording, '--assert'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^the same path: \d+ events of \d+ actors lead where they led\n$/),
    });
  });
});

describe('tsworker record', () => {
  it('where nobody is, says so', async () => {
    expect(await run(['record', 'http://127.0.0.1:1', '--output', '/dev/null'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^error: there is no worker at http:\/\/127\.0\.0\.1:1: .*; it takes the address of its internal port\.\n$/,
      ),
    });
  });

  it('ended by Ctrl-C says that the worker went on, and replay tells it', async () => {
    const recording = file('');
    const { internalPort } = await serve(quietBackend({ routes: { '/run': { handle: () => 'ok' } } }));
    const recorder = new Program(process.execPath, [
      ...['--import', 'tsx', 'src/cli/main.ts', 'record', `http://127.0.0.1:${internalPort}`],
      ...['--output', recording],
    ]);
    await recorder.find('that it records', () =>
      recorder.lines.find((line) => line.includes('recording.began')),
    );
    recorder.kill('SIGINT');
    expect(await recorder.exited).toEqual({ code: 0, signal: null });
    expect(recorder.lines.at(-1)).toContain('events are recorded (the worker goes on)');
    const { happenings, end } = readRecording(readFileSync(recording, 'utf8'));
    expect(end).toEqual({
      ...{ ended: 'interrupted', atMs: expect.any(Number) },
      ...{ events: happenings.length, missed: 0 },
    });
    const { code, stdout } = await run(['replay', recording, '--assert']);
    expect([code, stdout.split('\n').slice(1)]).toEqual([
      0,
      [
        `the recording was ended by hand after event ${happenings.at(-1)?.seq}: it says nothing of what came then`,
        '',
      ],
    ]);
  });

  it('into what can not be written says what, why and what to do, and moves no folder or device', async () => {
    const { internalPort } = await serve(quietBackend({ routes: { '/run': { handle: () => 'ok' } } }));
    const folder = dirname(file(''));
    const full = join(folder, 'full');
    symlinkSync('/dev/full', full);
    const recorded = async (output: string) => {
      const args = ['record', `http://127.0.0.1:${internalPort}`, '--output', output];
      const { code, stderr } = await run(args);
      return { code, stderr };
    };
    const why = (output: string, problem: string) => ({
      code: 1,
      stderr: `error: the recording can not be written to ${output}: ${problem}; name a file that can be with --output, on a disk with room.\n`,
    });
    expect(await recorded(folder)).toEqual(why(folder, 'it is a folder'));
    expect(await recorded(full)).toEqual(why(full, 'ENOSPC: no space left on device, write'));
    expect([readdirSync(folder).sort(), lstatSync(full).isSymbolicLink()]).toEqual([
      ['full', 'run.jsonl'],
      true,
    ]);
    const none = join(folder, 'none', 'run.jsonl');
    expect(await recorded(none)).toEqual(why(none, `ENOENT: no such file or directory, open '${none}'`));
    const inFile = join(folder, 'run.jsonl', 'x');
    expect(await recorded(inFile)).toEqual(why(inFile, `ENOTDIR: not a directory, stat '${inFile}'`));
  });

  it('where the worker wants a token, says which', async () => {
    const backend = quietBackend({ routes: { '/run': { handle: () => 'ok' } } });
    const { internalPort } = await serve(backend, { TSWORKER_INTERNAL_TOKEN: 'an-internal-token' });
    const url = `http://127.0.0.1:${internalPort}`;
    expect(await run(['record', url, '--output', '/dev/null'])).toMatchObject({
      code: 1,
      stderr: `error: ${url} is shown to those alone who send its token: set TSWORKER_INTERNAL_TOKEN.\n`,
    });
  });
});
