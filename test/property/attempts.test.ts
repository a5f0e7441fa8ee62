import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AttemptDecision,
  type AttemptOutcome,
  type Attempts,
  type AttemptsPolicy,
  beginAttempts,
  decide,
  isRetryable,
} from '../../machines/attempts.js';

const statuses = fc.oneof(
  fc.constantFrom(400, 401, 404, 408, 410, 422, 429, 499, 500, 502, 503, 504, 599, 600),
  fc.integer({ min: 300, max: 599 }),
);

const parties = fc.constantFrom('autoscaler' as const, 'worker' as const);
const idxs = fc.integer({ min: 1, max: 1_000_000 });
const retryAfters = fc.option(fc.integer({ min: 0, max: 120_000 }), { nil: null });

const outcomes: fc.Arbitrary<AttemptOutcome> = fc.oneof(
  fc.record({ type: fc.constant('waits' as const), requestIdx: idxs }),
  fc.record({ type: fc.constant('routed' as const), requestIdx: idxs }),
  fc.record({
    type: fc.constant('answered' as const),
    by: parties,
    status: statuses,
    retryAfterMs: retryAfters,
  }),
  fc.record({ type: fc.constant('lost' as const), by: parties }),
  fc.constant({ type: 'cut' as const }),
);

/** What is never decided by itself: each answer may be mended by another attempt. */
const hopeful = outcomes.filter((outcome) => outcome.type !== 'answered' || isRetryable(outcome.status));

const policies: fc.Arbitrary<AttemptsPolicy> = fc.record({
  backOff: fc.record({
    baseMs: fc.integer({ min: 1, max: 2_000 }),
    capMs: fc.integer({ min: 2_000, max: 60_000 }),
  }),
  maxRetries: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 20 })),
  maxUnanswered: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 10 })),
});

const timeouts = fc.integer({ min: 1, max: 600_000 });
const seeds = fc.integer();

interface Lived {
  readonly nowMs: number;
  readonly taken: number;
  readonly sent: number;
  readonly last: AttemptDecision | undefined;
  readonly attempts: Attempts;
}

/**
 * Lives through outcomes in virtual time, each after so long: an attempt never takes longer than what is left, as the
 * client sees to. A worker is asked where it was named, the autoscaler where it was not; a session has its worker.
 */
function live(
  seed: number,
  policy: AttemptsPolicy,
  timeoutMs: number,
  next: (step: number) => { outcome: AttemptOutcome; tookMs: number },
  isSession = false,
): Lived {
  let [attempts, nowMs, sent, isRouted] = [beginAttempts(seed), 0, 0, isSession];
  for (let step = 0; ; step++) {
    const { outcome: drawn, tookMs } = next(step);
    const outcome = fitting(drawn, isRouted);
    if (isRouted) sent += 1;
    nowMs += Math.min(tookMs, timeoutMs - nowMs);
    const decided = decide(attempts, outcome, timeoutMs - nowMs, policy);
    attempts = decided.attempts;
    const { decision } = decided;
    isRouted = isSession || outcome.type === 'routed';
    if (decision.type === 'again') nowMs += decision.afterMs;
    if (decision.type === 'give up') return { nowMs, taken: step + 1, sent, last: decision, attempts };
  }
}

/** While no worker is named the outcome is the autoscaler's, afterwards the worker's. */
function fitting(outcome: AttemptOutcome, isRouted: boolean): AttemptOutcome {
  if (outcome.type === 'answered' || outcome.type === 'lost') {
    return { ...outcome, by: isRouted ? 'worker' : 'autoscaler' };
  }
  if (outcome.type === 'cut') return isRouted ? outcome : { type: 'lost', by: 'autoscaler' };
  return isRouted ? { type: 'lost', by: 'worker' } : outcome;
}

describe('the attempts of a request, in virtual time', () => {
  it('end within the time that it may take, whatever comes of them', () => {
    fc.assert(
      fc.property(
        seeds,
        policies,
        timeouts,
        fc.infiniteStream(fc.record({ outcome: hopeful, tookMs: fc.integer({ min: 0, max: 5_000 }) })),
        fc.boolean(),
        (seed, policy, timeoutMs, stream, isSession) => {
          const next = () => stream.next().value;
          const { nowMs, taken, last } = live(seed, policy, timeoutMs, next, isSession);
          expect(nowMs).toBeLessThanOrEqual(timeoutMs);
          // Each pause takes at least half of the base; a route is followed by a pause.
          expect(taken).toBeLessThanOrEqual(2 * (timeoutMs / (policy.backOff.baseMs / 2) + 1));
          expect(last).toMatchObject({
            type: 'give up',
            because: expect.stringMatching(/^(time|retries|gone)$/),
          });
        },
      ),
    );
  });

  it('never send to workers more often than is allowed', () => {
    fc.assert(
      fc.property(
        seeds,
        policies,
        timeouts,
        fc.infiniteStream(hopeful),
        (seed, policy, timeoutMs, stream) => {
          const outcome = () => ({ outcome: stream.next().value, tookMs: 1 });
          const { sent, last } = live(seed, policy, timeoutMs, outcome);
          expect(sent).toBeLessThanOrEqual(policy.maxRetries + 1);
          if (last?.type === 'give up' && last.because === 'retries')
            expect(sent).toBe(policy.maxRetries + 1);
        },
      ),
    );
  });

  it('go on nearly to the end of the time while no worker is ready', () => {
    fc.assert(
      fc.property(seeds, policies, timeouts, (seed, policy, timeoutMs) => {
        const { nowMs } = live(seed, policy, timeoutMs, () => ({
          outcome: { type: 'waits', requestIdx: 1 },
          tookMs: 0,
        }));
        expect(timeoutMs - nowMs).toBeLessThanOrEqual(policy.backOff.baseMs / 2);
      }),
    );
  });

  it('are the same for the same seed, and spread for different ones', () => {
    const pausesOf = (seed: number) => {
      const pauses: number[] = [];
      let attempts = beginAttempts(seed);
      for (let poll = 0; poll < 5; poll++) {
        const decided = decide(attempts, { type: 'waits', requestIdx: 1 }, 1e9, POLICY);
        attempts = decided.attempts;
        if (decided.decision.type === 'again') pauses.push(decided.decision.afterMs);
      }
      return pauses;
    };
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(pausesOf(seed)).toEqual(pausesOf(seed));
      }),
    );
    const firsts = Array.from({ length: 1_000 }, (_, seed) => pausesOf(seed)[0] ?? 0);
    for (const [from, to] of [
      [125, 150],
      [150, 175],
      [175, 200],
      [200, 225],
      [225, 250],
    ] as const) {
      // A fifth of all, give or take.
      const share = firsts.filter((pause) => pause >= from && pause < to).length;
      expect(share).toBeGreaterThan(150);
      expect(share).toBeLessThan(250);
    }
  });
});

const POLICY: AttemptsPolicy = {
  backOff: { baseMs: 250, capMs: 5_000 },
  maxRetries: Number.POSITIVE_INFINITY,
  maxUnanswered: Number.POSITIVE_INFINITY,
};

describe('one decision', () => {
  const states: fc.Arbitrary<Attempts> = fc.record({
    seed: seeds,
    requestIdx: fc.nat(),
    polls: fc.nat({ max: 2_000 }),
    unheard: fc.nat({ max: 2_000 }),
    failures: fc.nat({ max: 2_000 }),
    unanswered: fc.nat({ max: 2_000 }),
  });
  const lefts = fc.integer({ min: -1_000, max: 600_000 });

  it('honours what the answer asks for, or gives up', () => {
    fc.assert(
      fc.property(
        states,
        parties,
        statuses.filter(isRetryable),
        fc.nat({ max: 1_000_000 }),
        lefts,
        policies,
        (attempts, by, status, retryAfterMs, leftMs, policy) => {
          const outcome = { type: 'answered', by, status, retryAfterMs } as const;
          const { decision } = decide(attempts, outcome, leftMs, policy);
          if (decision.type === 'again') {
            expect(decision.afterMs).toBeGreaterThanOrEqual(retryAfterMs);
            expect(decision.afterMs).toBeLessThan(leftMs);
          } else expect(decision).toMatchObject({ type: 'give up' });
        },
      ),
    );
  });

  it('never repeats what would be the same again', () => {
    fc.assert(
      fc.property(
        states,
        parties,
        statuses.filter((status) => !isRetryable(status)),
        retryAfters,
        lefts,
        policies,
        (attempts, by, status, retryAfterMs, leftMs, policy) => {
          const outcome = { type: 'answered', by, status, retryAfterMs } as const;
          expect(decide(attempts, outcome, leftMs, policy).decision).toEqual({
            type: 'give up',
            because: 'final',
          });
        },
      ),
    );
  });

  it('waits from a half to all of a ceiling that doubles up to the cap, while there is time', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2_000 }), seeds, policies, (polls, seed, policy) => {
        const { baseMs, capMs } = policy.backOff;
        const before = { ...beginAttempts(seed), polls };
        const { decision } = decide(before, { type: 'waits', requestIdx: 1 }, 1e9, policy);
        const ceiling = Math.min(capMs, baseMs * 2 ** polls);
        expect(decision).toMatchObject({ type: 'again' });
        if (decision.type !== 'again') return;
        expect(decision.afterMs).toBeGreaterThanOrEqual(ceiling / 2);
        expect(decision.afterMs).toBeLessThanOrEqual(ceiling);
      }),
    );
  });

  it('counts each party by itself, and asks as a new request only when the worker was lost', () => {
    const kept = { requestIdx: 7, polls: 3, unheard: 2, failures: 1, unanswered: 1 };
    const stateAfter = (outcome: AttemptOutcome) => {
      const { seed: _, ...rest } = decide({ seed: 1, ...kept }, outcome, 60_000, POLICY).attempts;
      return rest;
    };
    const answered = { type: 'answered', status: 503, retryAfterMs: null } as const;
    expect(stateAfter({ type: 'waits', requestIdx: 9 })).toEqual({
      ...kept,
      requestIdx: 9,
      polls: 4,
      unheard: 0,
    });
    expect(stateAfter({ type: 'routed', requestIdx: 9 })).toEqual({
      ...kept,
      requestIdx: 9,
      polls: 0,
      unheard: 0,
    });
    expect(stateAfter({ ...answered, by: 'worker' })).toEqual({ ...kept, failures: 2, unanswered: 0 });
    expect(stateAfter({ ...answered, by: 'autoscaler' })).toEqual({ ...kept, unheard: 3 });
    expect(stateAfter({ type: 'cut' })).toEqual({ ...kept, requestIdx: 0, failures: 2, unanswered: 0 });
    expect(stateAfter({ type: 'lost', by: 'worker' })).toEqual({
      ...kept,
      requestIdx: 0,
      failures: 2,
      unanswered: 2,
    });
    expect(stateAfter({ type: 'lost', by: 'autoscaler' })).toEqual({ ...kept, unheard: 3 });
  });

  it('takes a worker for gone after so many attempts in a row without an answer, and not a moment sooner', () => {
    const answers = fc.constantFrom<AttemptOutcome>(
      { type: 'cut' },
      { type: 'answered', by: 'worker', status: 503, retryAfterMs: null },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), answers, (maxUnanswered, answer) => {
        const lost: AttemptOutcome = { type: 'lost', by: 'worker' };
        const row = Array.from({ length: maxUnanswered }, () => lost);
        let attempts = beginAttempts(1);
        const decisions = [...row.slice(1), answer, ...row].map((outcome) => {
          const decided = decide(attempts, outcome, 1e9, { ...POLICY, maxUnanswered });
          attempts = decided.attempts;
          return decided.decision;
        });
        expect(decisions.pop()).toEqual({ type: 'give up', because: 'gone' });
        expect(decisions.map(({ type }) => type)).toEqual(decisions.map(() => 'again'));
      }),
    );
  });

  it('says how much time it would have needed', () => {
    const outcome = { type: 'answered', by: 'worker', status: 429, retryAfterMs: 30_000 } as const;
    expect(decide(beginAttempts(1), outcome, 10_000, POLICY).decision).toEqual({
      type: 'give up',
      because: 'time',
      neededMs: expect.closeTo(30_125, -3),
    });
  });
});
