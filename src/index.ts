export type { Outcome, WorkState } from '../machines/lifecycle.js';
export {
  type Backend,
  type BackendContext,
  type BackendDefinition,
  defineBackend,
  type Method,
  type RequestParser,
  type Route,
  type RouteRequest,
} from './backend/index.js';
export type { Bus, BusEvents, Topic } from './bus.js';
export { type Config, type ConfigResult, readConfig } from './config/index.js';
export { ERRORS, type ErrorCode, WorkerError } from './errors.js';
export type { Ports } from './http/ports.js';
export { createLog, type Log, type LogFields, silentLog } from './log.js';
export type { WorkerView } from './view.js';
export { Worker, type WorkerOptions } from './worker.js';
