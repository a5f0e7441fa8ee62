import fc from 'fast-check';
import type { RequestKind, RequestOutcome } from '../../../machines/events.js';
import type { Dialect } from '../../../src/dialects/dialect.js';
import type { Answer, Happening, Schedule } from './simulation.js';

export const TIMEOUT_MS = 5_000;

const answer: fc.Arbitrary<Answer> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ is: fc.constant('accepted' as const), afterMs: fc.nat(TIMEOUT_MS - 1) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ is: fc.constant('refused' as const), afterMs: fc.nat(TIMEOUT_MS - 1) }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('late' as const), afterMs: fc.nat(20_000) }) },
  { weight: 1, arbitrary: fc.constant({ is: 'never' as const }) },
);

const request = fc.record({
  is: fc.constant('request' as const),
  kind: fc.constantFrom<RequestKind>('request', 'request', 'request', 'session', 'in-session'),
  // Few, so that they collide.
  requestIdx: fc.option(fc.nat(5)),
  workload: fc.nat(50),
  tookMs: fc.nat(8_000),
  outcome: fc.constantFrom<RequestOutcome>('succeeded', 'errored', 'cancelled', 'expired'),
});

const rejection = fc.record({
  is: fc.constant('rejection' as const),
  kind: fc.constantFrom<RequestKind>('request', 'session', 'in-session'),
  requestIdx: fc.option(fc.nat(5)),
  workload: fc.nat(50),
});

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: request },
  { weight: 1, arbitrary: rejection },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('failure' as const),
      message: fc.constantFrom('', 'out of memory', 'CUDA error'),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ is: 'recovery' as const }) },
  { weight: 1, arbitrary: fc.constant({ is: 'load' as const }) },
  { weight: 1, arbitrary: fc.constant({ is: 'capacity' as const }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('time' as const), ms: fc.nat(12_000) }) },
);

/** Any schedule of a worker whose autoscaler misbehaves, and then behaves as `finally` says. */
export function schedules(
  end: Pick<Schedule, 'finally' | 'drainTimeoutMs'>,
  ...dialects: readonly Dialect[]
): fc.Arbitrary<Schedule> {
  return fc.record({
    addresses: fc
      .integer({ min: 1, max: 3 })
      .map((count) => ['http://a', 'http://b', 'http://c'].slice(0, count)),
    dialect: fc.constantFrom(...dialects),
    serveUnreported: fc.boolean(),
    intervalMs: fc.constantFrom(500, 1_000, 10_000),
    timeoutMs: fc.constant(TIMEOUT_MS),
    capMs: fc.constantFrom(1, 700, 10_000),
    seed: fc.integer(),
    outboxLimit: fc.constantFrom(1, 10_000),
    answers: fc.array(answer, { maxLength: 25 }),
    postAnswers: fc.array(answer, { maxLength: 25 }),
    happenings: fc.array(happening, { maxLength: 30 }),
    finally: fc.constant(end.finally),
    drainTimeoutMs: fc.constant(end.drainTimeoutMs),
  });
}
