import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createMachine } from 'xstate';
import { quietBackend, serve } from '../support/worker.js';

interface StatelyEvent {
  readonly type: string;
  readonly sessionId: string;
  readonly rootId: string;
  readonly createdAt: string;
  readonly id: string;
  readonly _version: string;
  readonly [member: string]: unknown;
}

it("tells Stately's inspector of each actor, event and snapshot, a line each, without secrets", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-stately-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'events.jsonl');
  const backend = quietBackend({ routes: { '/run': { handle: () => 'ok' } } });
  const { worker } = await serve(backend, { TSWORKER_INSPECT: file });
  await worker.stop('the-master-token is enough');
  const text = readFileSync(file, 'utf8');
  expect(text).not.toContain('the-master-token');
  const events = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as StatelyEvent);
  for (const each of events) {
    expect(each).toMatchObject({ _version: '0.7.2', createdAt: expect.stringMatching(/^\d{13}$/) });
    expect(each.rootId).toBe(events[0]?.rootId);
  }
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  const actors = events.filter(({ type }) => type === '@xstate.actor');
  expect(actors.map(({ name }) => name)).toEqual(expect.arrayContaining(['load', 'reporter', 'metrics']));
  const [root] = actors;
  expect(root).toMatchObject({ name: 'lifecycle', sessionId: root?.rootId, snapshot: { status: 'active' } });
  expect(root).not.toHaveProperty('parentId');
  expect(actors.find(({ name }) => name === 'load')).toMatchObject({ parentId: root?.sessionId });
  const definition = createMachine(JSON.parse(String(root?.definition)));
  expect(Object.keys(definition.states)).toContain('work');
  const ofRoot = events.filter(({ sessionId }) => sessionId === root?.sessionId);
  expect(ofRoot.filter(({ type }) => type === '@xstate.event').map(({ event }) => event)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ type: 'xstate.done.actor.load' }),
      { type: 'stop.requested', reason: '[redacted] is enough' },
    ]),
  );
  expect(ofRoot.findLast(({ type }) => type === '@xstate.snapshot')).toMatchObject({
    snapshot: { value: { work: 'stopped' } },
  });
});
