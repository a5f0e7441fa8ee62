import type { Backend } from './backend.js';
import { type CompiledModel, withPaths } from './model.js';
import type { CompiledRoute } from './route.js';
import type { DialectName } from './types.js';

/** What the environment may say in place of the backend. */
export interface BackendSettings {
  readonly dialect?: DialectName | undefined;
  readonly modelServerUrl?: string | undefined;
  readonly modelCommand?: string | undefined;
  readonly modelLog?: string | undefined;
  readonly modelHealth?: string | undefined;
  readonly readiness?: CompiledModel['readiness'] | undefined;
  /** Units of work per second: nothing is measured. */
  readonly maxPerf?: number | undefined;
  /** Rounds. */
  readonly benchmarkRuns?: number | undefined;
  /** For the routes that go to the model server. */
  readonly maxQueueMs?: number | undefined;
  /** For the same routes; Infinity: there is no limit. */
  readonly firstByteTimeoutMs?: number | undefined;
  readonly betweenBytesTimeoutMs?: number | undefined;
  readonly totalTimeoutMs?: number | undefined;
  readonly maxSessions?: number | undefined;
}

/** The backend with what the environment says in its place. */
export function configure(backend: Backend, settings: BackendSettings): Backend {
  const { dialect, maxSessions = backend.maxSessions } = settings;
  return Object.freeze({
    ...backend,
    dialect: backend.dialect === 'none' ? 'none' : (dialect ?? backend.dialect),
    model: backend.model && modelWith(backend.model, settings),
    maxPerf: settings.maxPerf ?? backend.maxPerf,
    maxSessions,
    routes: new Map([...backend.routes].map(([path, route]) => [path, routeWith(route, settings)])),
  });
}

function modelWith(
  model: CompiledModel,
  {
    modelServerUrl: url,
    modelCommand: command,
    modelLog: log,
    modelHealth: health,
    readiness,
  }: BackendSettings,
): CompiledModel {
  const changed = withPaths(model, { url, command, log, health });
  return readiness === undefined ? changed : { ...changed, readiness };
}

function routeWith(route: CompiledRoute, settings: BackendSettings): CompiledRoute {
  const { maxPerf, benchmarkRuns } = settings;
  const benchmark = route.benchmark && { ...route.benchmark, runs: benchmarkRuns ?? route.benchmark.runs };
  return {
    ...route,
    benchmark: maxPerf === undefined ? benchmark : null,
    ...(route.handle === null && limitsOf(route, settings)),
  };
}

function limitsOf({ maxQueueMs, timeouts }: CompiledRoute, settings: BackendSettings) {
  return {
    maxQueueMs: settings.maxQueueMs ?? maxQueueMs,
    timeouts: {
      firstByteMs: settings.firstByteTimeoutMs ?? timeouts.firstByteMs,
      betweenBytesMs: settings.betweenBytesTimeoutMs ?? timeouts.betweenBytesMs,
      totalMs: settings.totalTimeoutMs ?? timeouts.totalMs,
    },
  };
}
