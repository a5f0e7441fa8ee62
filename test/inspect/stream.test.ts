import express from 'express';
import { expect, it } from 'vitest';
import type { Now } from '../../src/inspect/contract.js';
import { isNow, NOTHING_YET } from '../../src/inspect/page/page-state.js';
import { inspectorRoutes } from '../../src/inspect/routes.js';
import type { Reader, Source } from '../../src/inspect/source.js';
import { Timeline } from '../../src/inspect/timeline.js';
import { Looker } from '../support/event-stream.js';
import { serveHttp } from '../support/http-server.js';

/** A worker that has been in as many states as are kept, and counts how often it was asked how it is. */
class Stage implements Source {
  readonly timeline = new Timeline();
  readonly #readers = new Set<Reader>();
  #entered = 0;
  asked = 0;

  constructor() {
    for (let n = 0; n < 1_000; n++) this.#enter();
  }

  enters(): void {
    this.#enter();
    for (const reader of this.#readers) reader.onNews();
  }

  now = () => {
    this.asked += 1;
    const lists = { actors: [], sessions: [], requestsUnderWay: [] };
    const modelLog = Array.from({ length: 100 }, (_, n) => `${n} ${'y'.repeat(1_000)}`);
    const now = { seq: 0, atMs: 0, ...lists, modelLog, timeline: this.timeline.stays };
    return { ...now, worker: { inStateMs: 0 } } as unknown as Now;
  };
  samples = () => [];
  happened = 0;
  header = () => ({ recording: 1, version: '', machines: {}, backend: '', startedAtMs: 0 }) as const;
  after = () => [];
  linesAfter = () => ({ last: 0, lines: [] });
  subscribe(reader: Reader) {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  #enter(): void {
    const n = this.#entered++;
    this.timeline.enter(n % 2 === 0 ? 'serving' : 'failing', `${n} ${'x'.repeat(300)}`, n);
  }
}

it('tells what is new of a long timeline, made once for all who look, and who looks has the whole', async () => {
  const stage = new Stage();
  const { port } = await serveHttp(express().use(inspectorRoutes(stage)));
  const lookers = [await Looker.look(port), await Looker.look(port), await Looker.look(port)];
  const nows = (looker: Looker) => looker.of('now').map(({ data }) => data);
  await Promise.all(lookers.map((looker) => looker.until(() => nows(looker).length === 1)));
  const asked = stage.asked;
  for (const entered of [1, 2]) {
    stage.enters();
    await Promise.all(lookers.map((looker) => looker.until(() => nows(looker).length === 1 + entered)));
  }
  for (const looker of lookers) {
    const [first, ...later] = nows(looker);
    expect([first?.timeline.length, first?.modelLog?.length]).toEqual([1_000, 100]);
    // The one that has ended, and the new one.
    expect(later.map(({ timeline }) => timeline.map(({ nth }) => nth))).toEqual([
      [999, 1_000],
      [1_000, 1_001],
    ]);
    for (const now of later) expect(JSON.stringify(now).length).toBeLessThan(1_000);
    const page = nows(looker).reduce(isNow, NOTHING_YET);
    expect(page.now?.timeline).toEqual(stage.timeline.stays);
    expect(page.modelLog).toEqual(first?.modelLog);
  }
  expect(stage.asked - asked).toBeLessThan(2 * lookers.length);
  const again = await Looker.look(port);
  await again.until(() => again.told.length > 0);
  expect(nows(again)[0]?.timeline).toEqual(stage.timeline.stays);
});
