export { SteppedClock } from './clock.js';
export * from './coverage/index.js';
export { type Call, Effect } from './effect.js';
export { expectPath, type HasPath, type PathExpectation } from './expect-path.js';
export type { FaultName, FaultPlan, FaultScope } from './fault-plan.js';
export { type Leak, type LeakCheck, leakCheck } from './leaks.js';
export * from './models/index.js';
export {
  type MachinePath,
  machineTarget,
  type PathStep,
  type PathsOptions,
  type PathTarget,
  pathsOf,
  type WordedEvent,
  walk,
} from './paths.js';
export { type Line, RecordingLog } from './recording-log.js';
export * as requestEvents from './request-events.js';
export { startTestWorker, type TestWorkerOptions } from './start-test-worker.js';
export { startTestAutoscaler, TestAutoscaler } from './test-autoscaler.js';
export { startMachine, type TestMachine, type TestMachineOptions } from './test-machine.js';
export type { CallOptions, TestWorker } from './test-worker.js';
export { workerMachines } from './worker-machines.js';
