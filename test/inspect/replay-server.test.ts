import { describe, expect, it, onTestFinished } from 'vitest';
import type { Happening, History, Now, RecordingHeader, RecordingLine } from '../../src/inspect/contract.js';
import { began, NOTHING_YET } from '../../src/inspect/page/page-state.js';
import { actorsAt, lookAt, pastOf, stepFrom, workAt } from '../../src/inspect/page/travel.js';
import { recordedSource } from '../../src/inspect/recorded.js';
import { readRecording } from '../../src/inspect/recording.js';
import { replayServer } from '../../src/inspect/replay-server.js';
import { close, listen } from '../../src/net/server.js';
import { send } from '../support/client.js';
import { Looker } from '../support/event-stream.js';

const entered = (seq: number, state: string, reason: string): RecordingLine => ({
  seq,
  atMs: seq * 1000,
  actor: 'worker',
  machine: '',
  nth: seq,
  kind: 'log',
  event: 'state.entered',
  details: { level: 'info', message: `${state}: ${reason}`, event: 'state.entered', state, reason },
});

const HEADER: RecordingHeader = {
  recording: 1,
  version: '0.1.0',
  machines: {},
  backend: 'shop',
  startedAtMs: 500,
};

const LINES: RecordingLine[] = [
  HEADER,
  entered(1, 'loading', 'the worker has started'),
  {
    ...{ seq: 2, atMs: 2000, actor: 'lifecycle', machine: 'lifecycle', nth: 1, kind: 'transition' },
    ...{ event: 'load done', from: ['work.loading'], to: ['work.serving'], took: ['a', 'b'] },
  } as RecordingLine,
  entered(3, 'serving', 'there is no autoscaler to tell'),
  entered(4, 'failing', 'the fan has stopped'),
];

async function show(lines: readonly RecordingLine[]): Promise<number> {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const server = replayServer(readRecording(text));
  const port = await listen(server, 0, '127.0.0.1');
  onTestFinished(() => close(server));
  return port;
}

describe('a recording that is shown', () => {
  it('is how the worker was at its end, and all that happened', async () => {
    const port = await show([...LINES, { ended: 'stopped', atMs: 9000 }]);
    expect((await send(port, '/inspect/now')).body as Now).toMatchObject({
      live: false,
      seq: 4,
      atMs: 9000,
      startedAtMs: 500,
      ready: false,
      whyNotReady: 'The worker was failing: the fan has stopped.',
      worker: { backend: 'shop', state: 'failing', reason: 'the fan has stopped', inStateMs: 5000 },
      actors: [{ actor: 'lifecycle', machine: 'lifecycle', states: ['work.serving'], sinceMs: 2000 }],
      timeline: [
        { state: 'loading', fromMs: 1000, toMs: 3000 },
        { state: 'serving', fromMs: 3000, toMs: 4000 },
        { state: 'failing', fromMs: 4000, toMs: null },
      ],
    });
    const { header, happened, happenings } = (await send(port, '/inspect/recording')).body as History;
    expect([header, ...happenings]).toEqual(LINES);
    expect(happened).toBe(4);
    expect((await send(port, '/inspect/samples')).body).toEqual([]);
    expect(Object.keys((await send(port, '/inspect/charts')).body as object)).toContain('lifecycle');
  });

  it.each([
    ['stopped', undefined],
    ['full', 'the recording was full'],
    ['lost', 'the worker did not answer any more'],
    ['interrupted', 'the recording was ended by hand'],
    [undefined, 'the recording was broken off'],
  ] as const)('says why it ends before the worker did: %s', async (ended, cutShort) => {
    const port = await show([...LINES, ...(ended === undefined ? [] : [{ ended, atMs: 9000 }])]);
    expect(((await send(port, '/inspect/now')).body as Now).cutShort).toBe(cutShort);
  });

  it('comes over the stream, too', async () => {
    const looker = await Looker.look(await show(LINES), '?after=1');
    await looker.until(() => looker.happenings.length === 3);
    expect(looker.told[0]).toMatchObject({ event: 'now', data: { live: false } });
    expect(looker.happenings.map(({ seq }) => seq)).toEqual([2, 3, 4]);
  });

  it('has errors as any other page', async () => {
    const port = await show(LINES);
    expect((await send(port, '/else')).status).toBe(404);
    const { status, headers, body } = await send(port, '/inspect/now', { method: 'POST' });
    expect([status, headers.allow, body]).toEqual([
      ...[405, 'GET, HEAD', { error: 'method_not_allowed', message: 'This path takes GET and HEAD only.' }],
    ]);
  });
});

const [LOADING, SERVING, FAILING] = [['work.loading'], ['work.serving'], ['work.failing']];
const [WAITING, PROBING] = [['waiting'], ['probing']];

it('shows the beginning of a recording of 150 000 events, each actor where it was, and counts what it leaves out', () => {
  const lifecycle = { actor: 'lifecycle', machine: 'lifecycle', kind: 'transition' } as const;
  const health = { actor: 'lifecycle/health', machine: 'health', kind: 'transition' } as const;
  const probe = (seq: number): Happening => {
    const [event, from, to] =
      seq % 2 === 0 ? ['probe due', WAITING, PROBING] : ['probe done', PROBING, WAITING];
    return { seq, atMs: seq * 1000, nth: seq - 3, event, from, to, ...health };
  };
  const happenings: Happening[] = [
    { ...lifecycle, seq: 1, atMs: 1000, nth: 0, kind: 'actor.started', event: 'started', to: LOADING },
    { ...lifecycle, seq: 2, atMs: 2000, nth: 1, event: 'load done', from: LOADING, to: SERVING },
    { ...health, seq: 3, atMs: 3000, nth: 0, kind: 'actor.started', event: 'started', to: WAITING },
    ...Array.from({ length: 149_990 }, (_, index) => probe(index + 4)),
    { ...lifecycle, seq: 149_994, atMs: 2e8, nth: 2, event: 'health.failed', from: SERVING, to: FAILING },
  ];
  const source = recordedSource({ header: HEADER, happenings, nows: [], end: null });
  const shown = source.after(0).map(({ text }): Happening => JSON.parse(text));
  const { happened } = source;
  const state = began(NOTHING_YET, {}, { header: HEADER, happened, happenings: shown }, []);
  expect([shown.length, state.happenings.length, state.leftOut]).toEqual([20_000, 20_000, 129_994]);
  const at = (seq: number) => {
    const actors = [...actorsAt(lookAt(state, seq), seq).values()];
    return actors.map(({ actor, states, mayHaveMoved }) => [actor, ...states, mayHaveMoved]);
  };
  expect(at(1)).toEqual([['lifecycle', 'work.loading', false]]);
  const served = ['lifecycle', 'work.serving', false];
  expect(at(2)).toEqual([served]);
  expect(at(3)).toEqual([served, ['lifecycle/health', 'waiting', false]]);
  const sixth = pastOf(state)[5]?.seq ?? 0;
  expect(sixth).toBeGreaterThan(100_000);
  expect(stepFrom(lookAt(state, sixth), -1)).toBe(pastOf(state)[4]?.seq);
  expect(workAt(state, sixth)).toBe('serving');
  expect(workAt(state, 149_994)).toBe('failing');
}, 60_000);
