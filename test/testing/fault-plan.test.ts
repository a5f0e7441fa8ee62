import { describe, expect, it } from 'vitest';
import type { IncomingReport } from '../../src/autoscaler/index.js';
import { FaultPlan } from '../../src/testing/fault-plan.js';

type Kind = IncomingReport['message']['kind'];

/** What becomes of a message of this kind; null: a proper answer. */
function answerTo(plan: FaultPlan, kind: Kind) {
  const message = { kind } as IncomingReport['message'];
  return plan.take({ sequence: 1, path: '/worker_status/', message }) ?? null;
}

describe('the faults of an autoscaler', () => {
  it('come one after the other, each for as many messages as are said', () => {
    const plan = new FaultPlan();
    plan.next('hang', { times: 2 });
    plan.next({ kind: 'slow', delayMs: 5 });
    const answers = Array.from({ length: 4 }, () => answerTo(plan, 'status'));
    expect(answers).toEqual([{ kind: 'hang' }, { kind: 'hang' }, { kind: 'slow', delayMs: 5 }, null]);
  });

  it('come always, in the way that was said last, but for the next ones', () => {
    const plan = new FaultPlan();
    plan.always('hang');
    plan.always(503);
    plan.next('cut');
    const answers = Array.from({ length: 3 }, () => answerTo(plan, 'status'));
    const refusal = { kind: 'status', status: 503 };
    expect(answers).toEqual([{ kind: 'cut' }, refusal, refusal]);
    plan.always('reset', { of: 'completions' });
    expect(answerTo(plan, 'completions')).toEqual({ kind: 'reset' });
    expect(answerTo(plan, 'status')).toEqual(refusal);
    plan.clear();
    expect(answerTo(plan, 'status')).toBeNull();
  });

  it.each([
    ['statuses', ['status', 'loaded']],
    ['completions', ['completions']],
    ['loaded', ['loaded']],
  ] as const)('of %s are for %j alone', (of, kinds) => {
    const plan = new FaultPlan();
    plan.always('cut', { of });
    const all: readonly Kind[] = ['status', 'loaded', 'completions'];
    expect(all.filter((kind) => answerTo(plan, kind) !== null)).toEqual(kinds);
  });

  it('are refused at once where there is no such fault', () => {
    const plan = new FaultPlan();
    const said = (...of: readonly unknown[]) => {
      expect(() => plan.always(...(of as Parameters<FaultPlan['always']>))).toThrow(TypeError);
      return expect(() => plan.next(...(of as Parameters<FaultPlan['next']>)));
    };
    said('hangs').toThrow(
      'There is no fault "hangs"; there is status, hang, reset, slow, cut, duplicate, reorder.',
    );
    said('slow').toThrow('A slow answer needs its delayMs, not undefined.');
    said(42).toThrow("A message can't be answered with 42: a status is from 200 to 599.");
    said('cut', { of: 'finished' }).toThrow(
      'No message is of "finished"; there is statuses, completions, status, loading, loaded, update, data, capacity, error.',
    );
    expect(() => plan.next('cut', { times: 0 })).toThrow('A fault comes once or more, not 0 times.');
    expect(answerTo(plan, 'status')).toBeNull();
  });
});
