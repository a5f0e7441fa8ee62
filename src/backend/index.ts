export { type Backend, defineBackend, isBackend } from './backend.js';
export { type BackendSettings, configure } from './configure.js';
export { nearestTo } from './known-fields.js';
export { type CompiledModel, isHeard } from './model.js';
export { RESERVED_PATHS } from './reserved.js';
export type { CompiledBenchmark, CompiledRoute } from './route.js';
export { isStream } from './stream.js';
export type {
  BackendContext,
  BackendDefinition,
  Benchmark,
  DialectName,
  Duration,
  LogRule,
  LogRules,
  Method,
  ModelAnswer,
  ModelServer,
  RequestParser,
  Route,
  RouteRequest,
  RouteTimeouts,
} from './types.js';
export { DEFAULT_WORKLOAD, isWorkload, MAX_WORKLOAD, workloadOf } from './workload.js';
