export { type Backend, type CompiledRoute, defineBackend, isBackend, workloadOf } from './backend.js';
export type {
  BackendContext,
  BackendDefinition,
  DialectName,
  Method,
  RequestParser,
  Route,
  RouteRequest,
} from './types.js';
