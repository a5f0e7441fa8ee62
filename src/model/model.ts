import { fromPromise } from 'xstate';
import { type HealthInput, healthMachine } from '../../machines/health.js';
import { readinessMachine } from '../../machines/readiness.js';
import type { ReadinessEvent, ReadinessInput } from '../../machines/readiness-facts.js';
import { reloadMachine } from '../../machines/reload.js';
import { supervisorMachine } from '../../machines/supervisor.js';
import { type Backend, type CompiledRoute, isHeard } from '../backend/index.js';
import type { Config } from '../config/index.js';
import type { Log } from '../log.js';
import { pathOn } from '../net/address.js';
import { descriptorLimit, sharesOf } from '../net/descriptors.js';
import { benchmarkFileOf } from '../places.js';
import type { Redact } from '../redact.js';
import type { Environment } from '../supervisor/environment.js';
import type { Supervision } from '../supervisor/supervision.js';
import type { Upstream } from '../upstream.js';
import { Benchmarking } from './benchmarking.js';
import { ModelClient } from './client.js';
import { watchGrowth } from './growth.js';
import { createHealthProbe, untilHealthy } from './health.js';
import { createProbe, type Probe, shownUrl, unlessDown } from './probe.js';
import { silenceAllowedBy } from './silence.js';
import { supervise } from './supervise.js';
import { Traffic } from './traffic.js';
import { watchLog } from './watch-log.js';

export interface ModelOptions {
  readonly backend: Backend;
  readonly config: Config;
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** Runs the author's `init`. */
  readonly init: (signal: AbortSignal) => Promise<void>;
  /** Answers a body with a route that is handled here, to its end. */
  readonly answerHere: (route: CompiledRoute, body: unknown, signal: AbortSignal) => Promise<void>;
  /** Tells those who wait for the model what happens to it. */
  readonly tell: (event: ReadinessEvent) => void;
  /** What the model server gets as its environment where the worker runs it, but for the worker's secrets. */
  readonly env: Environment;
  readonly redact: Redact;
  /** Whether the worker runs the model server, and no process of it runs at this moment. */
  readonly isDown: () => boolean;
  /** Hears each new line of the model's log. */
  readonly onLine: (line: string) => void;
  /** A request found nobody who listens at the address of the model server. */
  readonly onRefused: () => void;
}

const HEALTH_PAUSE_MS = 1_000;
const PUBLIC_CONNECTIONS = 4;
const GROWTH_PAUSE_MS = 5_000;
/** Growth is seen well before the load counts as standing still. */
const LOOKS_IN_A_STALL = 4;

/** What the worker knows of the model behind it: how to reach it, and the effects that watch it. */
export class Model {
  /** The way to the model server; null: there is none. */
  readonly upstream: Upstream | null;
  /** The way for those who need no signature: they have connections of their own, so that they can't take all. */
  readonly publicUpstream: Upstream | null;
  readonly #options: ModelOptions;
  readonly #life = new AbortController();
  readonly #releases: (() => Promise<void>)[] = [];
  readonly #benchmarking: Benchmarking;
  readonly #client: ModelClient | null;
  readonly #traffic: Traffic | null;
  /** Null: there is no health route. */
  readonly #probe: Probe | null;
  /** Null: the worker does not run the model server. */
  readonly #supervision: Supervision | null;

  constructor(options: ModelOptions) {
    this.#options = options;
    const { onRefused } = options;
    const { routes, model } = options.backend;
    this.#benchmarking = new Benchmarking({ ...options, benchmarkFile: benchmarkFileOf(options.config) });
    this.#releases.push(() => this.#benchmarking.close());
    const clientOf = (connections: number) =>
      model && new ModelClient({ url: model.url, connections, onRefused });
    const { model: most } = sharesOf(descriptorLimit(), true);
    this.#client = clientOf(Math.min(connectionsFor(routes.values()), most));
    const publicClient = clientOf(PUBLIC_CONNECTIONS);
    this.publicUpstream = publicClient;
    this.#traffic = this.#client && trafficOf(this.#client, options.now);
    this.upstream = this.#traffic;
    this.#probe = probeOf(options);
    this.#supervision = supervise(options);
    for (const held of [this.#client, publicClient, this.#probe, this.#supervision]) {
      if (held !== null) this.#releases.push(() => held.close());
    }
  }

  /** What has to happen before the worker is ready, and how long it may take. */
  readinessInput(waitsForKey: boolean): Omit<ReadinessInput, 'heard'> {
    const { config, backend } = this.#options;
    const readiness = backend.model?.readiness ?? 'none';
    return {
      waitsFor: {
        log:
          backend.model !== null && isHeard(backend.model) && (readiness === 'log' || readiness === 'both'),
        health: backend.model?.health != null && readiness !== 'none',
        benchmark: this.#benchmarking.wanted,
        key: waitsForKey,
      },
      loadTimeoutMs: config.loadTimeoutMs,
      stallTimeoutMs: config.loadStallTimeoutMs,
      healthUrl: shownHealthUrl(backend.model),
      benchmark: this.#benchmarking.input(),
      maxPerf: backend.maxPerf,
    };
  }

  /** What the lifecycle has to know of the model. */
  lifecycleFacts(waitsForKey: boolean) {
    return {
      readiness: this.readinessInput(waitsForKey),
      health: this.healthInput(),
      isSupervised: this.#supervision !== null,
    };
  }

  /** How the model server is watched; null: there is none. */
  healthInput(): HealthInput | null {
    const { backend, config } = this.#options;
    if (backend.model === null) return null;
    return {
      intervalMs: config.healthIntervalMs,
      strikes: config.healthStrikes,
      stallTimeoutMs: config.stallTimeoutMs ?? silenceAllowedBy(backend.routes.values()),
    };
  }

  /** The machines that make the model ready and watch it, with their effects. */
  machines() {
    const { init, now } = this.#options;
    const probe = this.#healthProbe();
    return {
      load: readinessMachine.provide({
        actors: {
          init: fromPromise(async ({ signal }) => {
            const startedAtMs = now();
            await init(signal);
            return { startedAtMs };
          }),
          loadTime: fromPromise(
            async ({ input: { startedAtMs } }: { input: { startedAtMs: number } }) =>
              Math.max(now() - startedAtMs, 1) / 1000,
          ),
          healthy: fromPromise<void, undefined>(({ signal }) => this.#untilHealthy(signal)),
          growth: fromPromise<void, undefined>(({ signal }) => this.#watchGrowth(signal)),
          benchmark: this.#benchmarking.machine(),
        },
      }),
      health: healthMachine.provide({ actors: { probe } }),
      reload: reloadMachine.provide({ actors: { probe } }),
      supervisor: this.#supervision?.machine() ?? supervisorMachine,
    };
  }

  /** Begins to watch the model's log, if it has one that somebody else writes. */
  watchLog(): void {
    const { backend, log, tell, now, redact, onLine } = this.#options;
    if (backend.model === null || backend.model.log === null || this.#supervision !== null) return;
    const { signal } = this.#life;
    const watching = watchLog({ model: backend.model, log, tell, now, redact, onLine, signal });
    this.#releases.push(() => watching);
  }

  async close(): Promise<void> {
    this.#life.abort(new Error('the worker has stopped'));
    await Promise.all(this.#releases.splice(0).map((release) => release()));
  }

  #healthProbe() {
    return createHealthProbe({
      probe: this.#probe,
      bytesSoFar: () => this.#client?.bytesReceived ?? 0,
      takeQuietMs: () => this.#traffic?.takeQuietMs() ?? 0,
    });
  }

  async #watchGrowth(signal: AbortSignal): Promise<void> {
    const { config, tell } = this.#options;
    const { loadWatch: folder, loadStallTimeoutMs } = config;
    if (folder === undefined) return;
    const pauseMs = Math.min(GROWTH_PAUSE_MS, loadStallTimeoutMs / LOOKS_IN_A_STALL);
    await watchGrowth({ folder, pauseMs, signal, onGrowth: () => tell({ type: 'disk.progress' }) });
  }

  async #untilHealthy(signal: AbortSignal): Promise<void> {
    const { tell } = this.#options;
    if (this.#probe === null) throw new Error('There is no health route to ask.');
    const onUnwell = (reason: string) => tell({ type: 'health.unwell', reason });
    await untilHealthy({ probe: this.#probe, pauseMs: HEALTH_PAUSE_MS, signal, onUnwell });
  }
}

function trafficOf(client: ModelClient, now: () => number): Traffic {
  return new Traffic({ upstream: client, bytesSoFar: () => client.bytesReceived, now });
}

/** One for all that ask: each question has a connection of its own all the same. */
function probeOf({ backend: { model }, config, isDown }: ModelOptions): Probe | null {
  const url = healthUrlOf(model);
  if (model === null || url === null) return null;
  const probe = createProbe({ url, timeoutMs: config.healthTimeoutMs });
  return model.command === null ? probe : unlessDown(probe, isDown);
}

function healthUrlOf(model: Backend['model']): string | null {
  return model === null || model.health === null ? null : pathOn(model.url, model.health);
}

function shownHealthUrl(model: Backend['model']): string {
  const url = healthUrlOf(model);
  return url === null ? '' : shownUrl(url);
}

/** As many as requests may be worked on at once, and a few for what is no client's request. */
function connectionsFor(routes: Iterable<CompiledRoute>): number {
  const lanes = [...routes].filter(({ handle }) => handle === null).map(({ lane }) => lane);
  const own = lanes.map((lane) => (lane === 'shared' ? 0 : lane)).reduce((sum, lane) => sum + lane, 0);
  return own + (lanes.includes('shared') ? 1 : 0) + 2;
}
