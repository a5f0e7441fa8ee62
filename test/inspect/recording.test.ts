import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Happening, RecordingLine } from '../../src/inspect/contract.js';
import { endOf } from '../../src/inspect/recorded.js';
import { type Recording, RecordingError, readRecording } from '../../src/inspect/recording.js';
import { retrace } from '../../src/inspect/retrace.js';
import { post } from '../support/client.js';
import { quietBackend, serve } from '../support/worker.js';

const PROMPT = 'a poem about secrets';

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-recording-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'run.jsonl');
}

/** The text of the recording of a worker that serves, breaks, recovers, and stops. */
async function recorded(env: Readonly<Record<string, string>> = {}) {
  const file = scratch();
  const backend = quietBackend({
    routes: {
      '/break': {
        handle: ({ fail }) => {
          fail('the fan has stopped');
          return 'broken';
        },
      },
      '/run': { handle: () => 'ok' },
    },
  });
  const { worker, port, log } = await serve(backend, { TSWORKER_RECORD: file, ...env });
  await post(port, '/run', { prompt: PROMPT });
  await post(port, '/break', {});
  await worker.stop('it is enough');
  return { file, log, text: readFileSync(file, 'utf8') };
}

const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordingLine);
const textOf = (lines: readonly RecordingLine[]) =>
  `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;

/** The recording with one of its happenings as the function makes it. */
function altered(
  text: string,
  which: (happening: Happening) => boolean,
  alter: (happening: Happening) => Happening,
) {
  let seq = 0;
  const lines = linesOf(text).map((line) => {
    if (seq > 0 || !('kind' in line) || !which(line)) return line;
    seq = line.seq;
    return alter(line);
  });
  expect(seq).toBeGreaterThan(0);
  return { seq, retraced: retrace(readRecording(textOf(lines))) };
}

describe('a recording from the beginning', () => {
  it('holds all that happened to the machines, its states now and then, and its end; no secret, no payload', async () => {
    const { file, text } = await recorded();
    const { header, happenings, nows, end } = readRecording(text);
    expect(header).toMatchObject({ recording: 1, backend: 'quiet' });
    expect(happenings.map(({ seq }) => seq)).toEqual(happenings.map((_, index) => index + 1));
    expect(happenings[0]).toMatchObject({ actor: 'lifecycle', kind: 'actor.started' });
    expect(happenings.at(-1)).toMatchObject({ kind: 'actor.stopped' });
    expect(nows.map(({ worker }) => worker.state)).toEqual(['serving', 'failing', 'stopped']);
    expect(end).toEqual({
      ended: 'stopped',
      atMs: expect.any(Number),
      events: happenings.length,
      missed: 0,
    });
    for (const secret of ['the-master-token', PROMPT]) expect(text).not.toContain(secret);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is traced again on the same path', async () => {
    const { text } = await recorded();
    const retraced = retrace(readRecording(text));
    expect(retraced).toMatchObject({
      ...{ divergence: null, untraced: [], gaps: [], changed: [] },
      ...{ missing: 0, unended: [] },
    });
    expect(retraced.actors).toBeGreaterThanOrEqual(5);
    expect(retraced.steps).toBeGreaterThan(10);
  });

  it('an event that is another is caught and named', async () => {
    const { text } = await recorded();
    const isBreak = ({ event, actor }: Happening) => event === 'backend.failed' && actor === 'lifecycle';
    const another = altered(text, isBreak, (happening) => ({
      ...happening,
      details: { type: 'stop.requested', reason: 'somebody else' },
    }));
    expect(another.retraced.divergence).toEqual({
      seq: another.seq,
      actor: 'lifecycle',
      event: 'backend.failed',
      because: 'the event itself is "stop.requested"',
    });
    const isLoad = ({ event, actor }: Happening) => event === 'load done' && actor === 'lifecycle';
    const failed = altered(text, isLoad, (happening) => ({
      ...happening,
      details: { type: 'xstate.done.actor.load', output: { ok: false, reason: 'no such model' } },
    }));
    expect(failed.retraced.divergence).toMatchObject({
      seq: failed.seq,
      event: 'load done',
      because: expect.stringMatching(/^it leads to .*"work\.failing".*, and led to .*"work\.serving"/),
    });
  });

  it('states, transitions and events that are altered or missing are caught', async () => {
    const { text } = await recorded();
    const isBreak = ({ event, actor }: Happening) => event === 'backend.failed' && actor === 'lifecycle';
    const becauseOf = (alter: (happening: Happening) => Happening) => {
      const { seq, retraced } = altered(text, isBreak, alter);
      expect(retraced.divergence?.seq).toBe(seq);
      return retraced.divergence?.because;
    };
    expect(becauseOf((happening) => ({ ...happening, to: ['work.serving'] }))).toMatch(/^it leads to/);
    expect(becauseOf((happening) => ({ ...happening, from: ['work.loading'] }))).toMatch(/^it comes in/);
    expect(becauseOf((happening) => ({ ...happening, took: [] }))).toMatch(/^it takes/);
    expect(becauseOf((happening) => ({ ...happening, kind: 'event' }))).toBe(
      'it is "transition", and was "event"',
    );
    expect(becauseOf((happening) => ({ ...happening, nth: 999 }))).toMatch(
      /^it is number 999 of what happened to it, and number \d+ is due$/,
    );
  });

  it('an actor that came to its end, and goes on today, is caught', async () => {
    const { text } = await recorded();
    const isStopped = ({ kind, event }: Happening) => kind === 'actor.stopped' && event === 'stopped';
    const { seq, retraced } = altered(text, isStopped, (happening) => ({ ...happening, event: 'done' }));
    expect(retraced.divergence).toMatchObject({ seq, event: 'done', because: 'the machine does nothing' });
  });

  it('with a gap is traced up to it, and what leads elsewhere before it is caught', async () => {
    const { text } = await recorded();
    const of = ({ happenings }: Recording) => happenings.filter(({ actor }) => actor === 'lifecycle');
    const own = of(readRecording(text));
    const lost = own.findIndex(({ event }) => event === 'backend.failed');
    const [before, missing, next] = [own[lost - 1], own[lost], own[lost + 1]];
    const gappy = linesOf(text).filter((line) => !('kind' in line && line.seq === missing?.seq));
    const gap = { actor: 'lifecycle', after: before?.seq, before: next?.seq };
    const whole = retrace(readRecording(text));
    const retraced = retrace(readRecording(textOf(gappy)));
    expect(retraced).toEqual({
      ...{ ...whole, missing: 1 },
      ...{ gaps: [gap], steps: whole.steps - (own.length - lost) },
    });

    const cut = linesOf(text).map((line) =>
      'kind' in line && line.seq === missing?.seq ? { ...line, details: { $cut: true } } : line,
    );
    expect(retrace(readRecording(textOf(cut)))).toEqual({
      ...{ ...retraced, missing: 0 },
      gaps: [{ ...gap, before: missing?.seq }],
    });

    const isLoad = ({ event, actor }: Happening) => event === 'load done' && actor === 'lifecycle';
    const altered = gappy.map((line) =>
      'kind' in line && isLoad(line) ? { ...line, to: ['work.failing'] } : line,
    );
    expect(retrace(readRecording(textOf(altered)))).toMatchObject({
      gaps: [],
      divergence: { actor: 'lifecycle', event: 'load done' },
    });
  });

  it('without the end of an actor, or without all of one, is known to lack something', async () => {
    const { text } = await recorded();
    const whole = retrace(readRecording(text));
    const withoutLoad = (lacks: (happening: Happening) => boolean) =>
      linesOf(text).filter((line) => !('kind' in line && line.actor === 'lifecycle/load' && lacks(line)));
    const cases = [
      [({ kind }: Happening) => kind === 'actor.stopped', ['lifecycle/load'], whole.actors],
      [() => true, [], whole.actors - 1],
    ] as const;
    for (const [lacks, unended, actors] of cases) {
      const lines = withoutLoad(lacks);
      const missing = linesOf(text).length - lines.length;
      expect(missing).toBeGreaterThan(0);
      const expected = { divergence: null, gaps: [], untraced: [], unended, actors };
      expect(retrace(readRecording(textOf(lines)))).toMatchObject({ ...expected, missing });
      const older = lines.map((line) => ('ended' in line ? { ended: line.ended, atMs: line.atMs } : line));
      expect(retrace(readRecording(textOf(older)))).toMatchObject({ ...expected, missing: null });
    }
  });

  it('traces again who was started anew after a gap', async () => {
    const { text } = await recorded();
    const whole = retrace(readRecording(text));
    const { happenings } = readRecording(text);
    const own = happenings.filter(({ actor }) => actor === 'lifecycle/load');
    expect(own.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['actor.started', 'actor.stopped']));
    const stop = own.find(({ kind }) => kind === 'actor.stopped');
    const last = happenings.at(-1)?.seq ?? 0;
    const again = own.map((happening, index) => ({ ...happening, seq: last + index + 1 }));
    const lines = [...linesOf(text), ...again].filter((line) => !('kind' in line && line.seq === stop?.seq));
    expect(retrace(readRecording(textOf(lines)))).toMatchObject({
      actors: whole.actors + 1,
      divergence: null,
      gaps: [{ actor: 'lifecycle/load', after: own.at(-2)?.seq, before: last + 1 }],
    });
  });

  it('says of whom it knows no beginning, and which machines have changed since', async () => {
    const { text } = await recorded();
    const [header, ...lines] = linesOf(text);
    const later = lines.filter((line) => !('kind' in line && line.actor === 'lifecycle' && line.nth === 0));
    const changed = { ...header, machines: { reporter: 'another' } } as RecordingLine;
    const retraced = retrace(readRecording(textOf([changed, ...later])));
    expect(retraced).toMatchObject({ divergence: null, untraced: ['lifecycle'], changed: ['reporter'] });
  });

  it('ends when it is full, says so, and the worker goes on', async () => {
    const { text, log } = await recorded({ TSWORKER_RECORD_BYTES: '8KiB' });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(8 * 1024);
    expect(readRecording(text).end).toMatchObject({ ended: 'full' });
    expect(log.about('recording.problem')).toHaveLength(1);
    expect(log.about('state.entered').at(-1)?.fields.state).toBe('stopped');
  });

  it('that can not be written is told, and the worker goes on', async () => {
    const { worker, log } = await serve(quietBackend({ routes: { '/run': { handle: () => 'ok' } } }), {
      TSWORKER_RECORD: '/proc/no/such/folder/run.jsonl',
    });
    await expect.poll(() => log.about('recording.problem').length).toBe(1);
    expect(await worker.stop('it is enough')).toBe('clean');
  });

  it('shows how the worker was at its end', async () => {
    const { text } = await recorded();
    const end = endOf(readRecording(text));
    expect(end).toMatchObject({ live: false, ready: false, worker: { state: 'stopped' }, actors: [] });
    expect(end.timeline.map(({ state }) => state)).toEqual(
      expect.arrayContaining(['loading', 'loaded', 'serving', 'failing', 'draining', 'stopped']),
    );
  });
});

describe('a file that is', () => {
  const header = '{"recording":1,"version":"1","machines":{},"backend":"b","startedAtMs":1}\n';
  const event = (seq: number) =>
    `{"seq":${seq},"atMs":1,"actor":"worker","machine":"","nth":0,"kind":"log","event":"listening"}\n`;

  it.each([
    ['empty', '', 'line 1: it is empty.'],
    ['something else', '{"hello":1}\n', 'line 1: it is not the beginning of a recording.'],
    ['of another form', '{"recording":2}\n', 'line 1: it is a recording of form 2, and form 1 is read.'],
    [
      'without all of its first line',
      header.replace('"b"', '7'),
      'line 1: backend: Invalid input: expected string, received number.',
    ],
    ['empty in the middle', `${header}\n${event(1)}`, 'line 2: it is empty.'],
    [
      'without all that the page shows of the worker',
      `${header}${event(1)}{"now":{"seq":1,"worker":{"id":null,"backend":"b","state":"serving"}}}\n`,
      'line 3: now.worker.inStateMs: Invalid input: expected number, received undefined.',
    ],
    ['broken in the middle', `${header}{"seq":\n${event(1)}`, 'line 2: it is not JSON.'],
    ['of other things, too', `${header}{"hello":1}\n`, 'line 2: it is nothing that a recording holds.'],
    [
      'without all of an event',
      `${header}{"seq":1}\n`,
      'line 2: atMs: Invalid input: expected number, received undefined.',
    ],
    ['out of order', header + event(2) + event(1), 'line 3: event 1 is out of order.'],
  ])('%s is refused with the line', (_, text, message) => {
    expect(() => readRecording(text)).toThrow(new RecordingError(message));
  });

  it('without the state that was entered, as the log of a backend may be, is shown without it', () => {
    const entered = (seq: number, details: string) =>
      event(seq).replace('"listening"', `"state.entered"${details}`);
    const text = [
      ...[header, entered(1, ''), entered(2, ',"details":{"state":"molten"}')],
      entered(3, ',"details":{"state":"loading","reason":"it has started"}'),
    ].join('');
    expect(endOf(readRecording(text)).timeline).toEqual([
      { nth: 0, state: 'loading', fromMs: 1, toMs: null, reason: 'it has started' },
    ]);
  });

  it('broken off in a line, since its writer was killed, is read up to there', () => {
    const { happenings, end } = readRecording(`${header}${event(1)}{"seq":2,"atM`);
    expect([happenings.length, end]).toEqual([1, null]);
  });
});
