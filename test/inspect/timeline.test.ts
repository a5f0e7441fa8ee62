import { describe, expect, it } from 'vitest';
import type { Now } from '../../src/inspect/contract.js';
import { nowOf, sentenceOf } from '../../src/inspect/now.js';
import { Timeline } from '../../src/inspect/timeline.js';

describe('the timeline', () => {
  it('has each stay in a state, with why, from when and until when', () => {
    const timeline = new Timeline();
    timeline.enter('loading', 'it has started', 1000);
    timeline.enter('serving', 'it has loaded', 4000);
    timeline.enter('failing', 'the model has died', 9000);
    expect(timeline.stays).toEqual([
      { nth: 0, state: 'loading', fromMs: 1000, toMs: 4000, reason: 'it has started' },
      { nth: 1, state: 'serving', fromMs: 4000, toMs: 9000, reason: 'it has loaded' },
      { nth: 2, state: 'failing', fromMs: 9000, toMs: null, reason: 'the model has died' },
    ]);
  });

  it('a state that is told again has another reason, and began when it did', () => {
    const timeline = new Timeline();
    timeline.enter('failing', 'the model has died', 1000);
    timeline.enter('failing', 'the model was given up', 2000);
    expect(timeline.stays).toEqual([
      { nth: 0, state: 'failing', fromMs: 1000, toMs: null, reason: 'the model was given up' },
    ]);
  });

  it('never ends before it begins, though the clock is set back', () => {
    const timeline = new Timeline();
    timeline.enter('loading', 'a', 5000);
    timeline.enter('serving', 'b', 1000);
    expect(timeline.stays[0]).toMatchObject({ fromMs: 5000, toMs: 5000 });
  });

  it('of why, it has the beginning', () => {
    const timeline = new Timeline();
    timeline.enter('loading', 'x'.repeat(500), 1000);
    timeline.enter('failing', 'x'.repeat(64 * 1024), 2000);
    expect(timeline.stays.map(({ reason }) => reason)).toEqual(['x'.repeat(500), `${'x'.repeat(500)}…`]);
  });

  it('at its longest fits into what is told of the worker, and so does what is told after it', () => {
    const timeline = new Timeline();
    for (let n = 0; n < 1000; n++) timeline.enter(`${n}`, `${n} ${'x'.repeat(64 * 1024)}`, n);
    const modelLog = Array.from({ length: 100 }, (_, n) => `${n} ${'y'.repeat(1000)}`);
    const view = { state: 'failing', reason: 'z'.repeat(64 * 1024) } as Now['worker'];
    const now = nowOf({
      ...{ seq: 1, version: '1', startedAtMs: 0, nowMs: 0, actors: [], view, redact: (text) => text },
      rows: { sessions: [], requests: [] },
      timeline: timeline.stays,
      modelLog,
    });
    expect([now.timeline, now.modelLog]).toEqual([timeline.stays, modelLog]);
  });

  it('is bounded: the oldest stays go', () => {
    const timeline = new Timeline();
    for (let n = 0; n < 5000; n++) timeline.enter(n % 2 === 0 ? 'serving' : 'failing', `${n}`, n);
    expect(timeline.stays).toHaveLength(1000);
    expect(timeline.stays.at(-1)).toMatchObject({ reason: '4999', toMs: null });
  });
});

describe('why a worker does not take requests', () => {
  it.each([
    ['it has started', 'The worker is failing: it has started.'],
    ['The model is gone!', 'The worker is failing: The model is gone!'],
    ['', 'The worker is failing.'],
    ['x'.repeat(501), `The worker is failing: ${'x'.repeat(500)}…`],
  ])('is one sentence', (reason, sentence) => expect(sentenceOf('is', 'failing', reason)).toBe(sentence));
});
