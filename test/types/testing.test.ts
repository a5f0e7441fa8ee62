import { describe, expect, expectTypeOf, it } from 'vitest';
import { type ActorOptions, setup } from 'xstate';
import type { RequestEvent } from '../../machines/events.js';
import type { Outcome, WorkState } from '../../machines/life.js';
import { machines } from '../../src/graph/machines.js';
import {
  type Effect,
  expectPath,
  type FaultName,
  type Leak,
  type LeakCheck,
  type MachinePath,
  pathsOf,
  requestEvents,
  startMachine,
  startTestWorker,
  type TestAutoscaler,
  type TestWorker,
  transitionCoverage,
  workerMachines,
} from '../../src/testing/index.js';

const lamp = setup({
  types: {
    input: {} as { readonly watts: number },
    context: {} as { readonly watts: number },
    events: {} as { type: 'press' } | { type: 'dim'; to: number },
  },
}).createMachine({ id: 'lamp', context: ({ input }) => input, on: { press: {}, dim: {} } });

describe('the test kit', () => {
  it('knows the machines of a worker by name', () => {
    expectTypeOf(transitionCoverage).toBeCallableWith(workerMachines['public-key']);
    // @ts-expect-error there is none of this name
    expect(workerMachines.report).toBeUndefined();
    expect(Object.keys(workerMachines)).toEqual(Object.keys(machines));
  });

  it('knows the input and the events of a machine', () => {
    const start = () => startMachine(lamp, { input: { watts: 40 } });
    type Lamp = ReturnType<typeof start>;
    expectTypeOf<Parameters<Lamp['send']>[0]>().toEqualTypeOf<
      { type: 'press' } | { type: 'dim'; to: number }
    >();
    expectTypeOf<ReturnType<Lamp['actor']['getSnapshot']>['context']>().toEqualTypeOf<{
      readonly watts: number;
    }>();
    expectTypeOf(pathsOf(lamp, { input: { watts: 1 }, events: [{ type: 'dim', to: 1 }] })).toEqualTypeOf<
      MachinePath[]
    >();
    // @ts-expect-error a lamp has watts
    () => startMachine(lamp, { input: { volts: 230 } });
    // @ts-expect-error how far it is to be dimmed is not said
    () => pathsOf(lamp, { input: { watts: 1 }, events: [{ type: 'dim' }] });
    () => pathsOf(lamp, { input: { watts: 1 }, events: [{ type: 'load done', output: 1 }] });
  });

  it('knows the states of a worker, and how it ends', () => {
    expectTypeOf(startTestWorker).returns.resolves.toEqualTypeOf<TestWorker>();
    expectTypeOf<TestWorker['path']>().returns.toEqualTypeOf<readonly WorkState[]>();
    expectTypeOf<TestWorker['reaches']>().parameter(0).toEqualTypeOf<WorkState>();
    expectTypeOf<TestWorker['stop']>().returns.resolves.toEqualTypeOf<Outcome>();
    expectTypeOf<TestWorker['requests']>().toEqualTypeOf<RequestEvent[]>();
    expectTypeOf<TestWorker['autoscaler']>().toEqualTypeOf<TestAutoscaler | null>();
    expectTypeOf<TestWorker>().toExtend<AsyncDisposable>();
    expectTypeOf<TestAutoscaler>().toExtend<AsyncDisposable>();
    expectTypeOf<LeakCheck>().toExtend<AsyncDisposable>();
    expectTypeOf<LeakCheck['found']>().returns.resolves.toEqualTypeOf<Leak[]>();
    expectTypeOf(expectPath).toBeCallableWith({ path: () => ['serving'] });
  });

  it('knows faults, request events and effects', () => {
    expectTypeOf<TestAutoscaler['faults']['next']>().parameter(0).toEqualTypeOf<FaultName>();
    expectTypeOf<'explode'>().not.toExtend<FaultName>();
    expectTypeOf(requestEvents.started({ workload: 3 })).toExtend<RequestEvent>();
    expectTypeOf(requestEvents.ended('errored').type).toEqualTypeOf<'request.errored'>();
    expectTypeOf<Effect<number, string>['last']['resolve']>().toEqualTypeOf<(output: number) => void>();
  });

  it('is heard by any actor', () => {
    expectTypeOf(transitionCoverage(lamp).inspect).toExtend<
      NonNullable<ActorOptions<typeof lamp>['inspect']>
    >();
    expectTypeOf<LeakCheck['inspect']>().toExtend<NonNullable<ActorOptions<typeof lamp>['inspect']>>();
  });
});
