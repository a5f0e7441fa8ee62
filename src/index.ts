export { type FunctionContext, type FunctionHandler, functionBackend } from '../backends/function.js';
export type { LoadSettings } from '../backends/index.js';
export type { Outcome, WorkState } from '../machines/life.js';
export {
  type Backend,
  type BackendContext,
  type BackendDefinition,
  type Benchmark,
  type DialectName,
  type Duration,
  defineBackend,
  type LogRule,
  type LogRules,
  type Method,
  type ModelAnswer,
  type ModelServer,
  type RequestParser,
  type Route,
  type RouteRequest,
  type RouteTimeouts,
} from './backend/index.js';
export type { Bus, BusEvents, Topic } from './bus.js';
export { type Config, type ConfigResult, readConfig } from './config/index.js';
export { ERRORS, type ErrorCode, WorkerError } from './errors.js';
export type { Ports } from './http/ports.js';
export { createLog, type Log, type LogFields, silentLog } from './log.js';
export type { WorkerView } from './view.js';
export { Worker } from './worker.js';
export type { WorkerOptions } from './worker-options.js';
