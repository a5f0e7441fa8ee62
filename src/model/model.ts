import { isDeepStrictEqual } from 'node:util';
import { fromPromise } from 'xstate';
import { type BenchmarkInput, benchmarkMachine, type Measurement } from '../../machines/benchmark.js';
import { healthMachine, type ProbeResult } from '../../machines/health.js';
import { readinessMachine } from '../../machines/readiness.js';
import type { ReadinessEvent, ReadinessInput } from '../../machines/readiness-facts.js';
import {
  type Backend,
  type CompiledBenchmark,
  type CompiledModel,
  type CompiledRoute,
  workloadOf,
} from '../backend/index.js';
import type { Config } from '../config/index.js';
import type { Log } from '../log.js';
import { pathOn } from '../net/address.js';
import { measure, type Send, warmUp } from './benchmark.js';
import { createBenchmarkSender } from './benchmark-client.js';
import { type BenchmarkKey, createBenchmarkStore } from './benchmark-store.js';
import { ModelClient } from './client.js';
import { gpuName } from './gpu.js';
import { createHealthProbe, untilHealthy } from './health.js';
import { createProbe } from './probe.js';
import { watchLog } from './watch-log.js';

export interface ModelOptions {
  readonly backend: Backend;
  readonly config: Config;
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** Where the results of benchmarks are kept. */
  readonly benchmarkFile: string;
  /** Runs the author's `init`. */
  readonly init: (signal: AbortSignal) => Promise<void>;
  /** Answers a body with a route that is handled here, to its end. */
  readonly answerHere: (route: CompiledRoute, body: unknown, signal: AbortSignal) => Promise<void>;
  /** Tells those who wait for the model what happens to it. */
  readonly tell: (event: ReadinessEvent) => void;
}

const HEALTH_PAUSE_MS = 1_000;
const HEALTH_START_MS = 300_000;
const BENCHMARK_RETRY_MS = 2_000;

/** What the worker knows of the model behind it: how to reach it, and the effects that watch it. */
export class Model {
  /** The way to the model server; null: there is none. */
  readonly upstream: ModelClient | null;
  readonly #options: ModelOptions;
  readonly #life = new AbortController();
  readonly #releases: (() => Promise<void>)[] = [];
  readonly #benchmarked: CompiledRoute | null;
  #logSaidLoaded = false;

  constructor(options: ModelOptions) {
    this.#options = options;
    const { routes, model } = options.backend;
    this.#benchmarked = [...routes.values()].find(({ benchmark }) => benchmark !== null) ?? null;
    this.upstream =
      model && new ModelClient({ url: model.url, connections: connectionsFor(routes.values()) });
    const { upstream } = this;
    if (upstream !== null) this.#releases.push(() => upstream.close());
  }

  /** What has to happen before the worker is ready, and how long it may take. */
  readinessInput(waitsForKey: boolean): Omit<ReadinessInput, 'keyHeld'> {
    const { config, backend } = this.#options;
    const readiness = backend.model?.readiness ?? 'none';
    return {
      waitsFor: {
        log: backend.model?.log != null && (readiness === 'log' || readiness === 'both'),
        health: backend.model?.health != null && readiness !== 'none',
        benchmark: this.#benchmarked !== null,
        key: waitsForKey,
      },
      loadTimeoutMs: config.loadTimeoutMs,
      stallTimeoutMs: config.loadStallTimeoutMs,
      healthTimeoutMs: HEALTH_START_MS,
      benchmark: this.#benchmarkInput(),
      maxPerf: backend.maxPerf,
    };
  }

  /** How the model server is watched once it has loaded; null: it has no health route. */
  healthInput() {
    const { healthIntervalMs: intervalMs, healthStrikes: strikes } = this.#options.config;
    return this.#options.backend.model?.health == null ? null : { intervalMs, strikes };
  }

  /** The machines that make the model ready and watch it, with their effects. */
  machines() {
    const { init, now } = this.#options;
    return {
      load: readinessMachine.provide({
        actors: {
          init: fromPromise(async ({ signal }) => {
            const startedAtMs = now();
            await init(signal);
            // The line stands in the log already when a load that failed is begun anew.
            if (this.#logSaidLoaded) this.#options.tell({ type: 'log.loaded' });
            return { startedAtMs };
          }),
          loadTime: fromPromise(
            async ({ input: { startedAtMs } }: { input: { startedAtMs: number } }) =>
              Math.max(now() - startedAtMs, 1) / 1000,
          ),
          healthy: fromPromise<void, undefined>(({ signal }) => this.#untilHealthy(signal)),
          benchmark: this.#benchmarkMachine(),
        },
      }),
      health: healthMachine.provide({ actors: { probe: this.#healthProbe() } }),
    };
  }

  /** Begins to watch the model's log, if it has one. */
  watchLog(): void {
    const { backend, log } = this.#options;
    if (backend.model === null || backend.model.log === null) return;
    const tell = (event: ReadinessEvent) => {
      this.#logSaidLoaded ||= event.type === 'log.loaded';
      this.#options.tell(event);
    };
    const watching = watchLog({ model: backend.model, log, tell, signal: this.#life.signal });
    this.#releases.push(() => watching);
  }

  async close(): Promise<void> {
    this.#life.abort(new Error('the worker has stopped'));
    await Promise.all(this.#releases.splice(0).map((release) => release()));
  }

  #healthUrl(model: CompiledModel): string {
    return pathOn(model.url, model.health ?? '');
  }

  #probe() {
    const { backend, config } = this.#options;
    if (backend.model === null) throw new Error('There is no model server to ask.');
    const probe = createProbe({ url: this.#healthUrl(backend.model), timeoutMs: config.healthTimeoutMs });
    this.#releases.push(() => probe.close());
    return probe;
  }

  #healthProbe() {
    if (this.#options.backend.model?.health == null) {
      return fromPromise<ProbeResult, undefined>(async () => ({ ok: true }));
    }
    return createHealthProbe(this.#probe(), () => this.upstream?.bytesReceived ?? 0);
  }

  async #untilHealthy(signal: AbortSignal): Promise<void> {
    const { tell } = this.#options;
    const onUnwell = (reason: string) => tell({ type: 'health.unwell', reason });
    await untilHealthy({ probe: this.#probe(), pauseMs: HEALTH_PAUSE_MS, signal, onUnwell });
  }

  #benchmarkInput(): BenchmarkInput {
    return { timeoutMs: this.#benchmarked?.benchmark?.timeoutMs ?? 1, probeRetryMs: BENCHMARK_RETRY_MS };
  }

  #benchmarkMachine() {
    const route = this.#benchmarked;
    const benchmark = route?.benchmark;
    if (route == null || benchmark == null) return benchmarkMachine;
    const { log, now, benchmarkFile } = this.#options;
    const store = createBenchmarkStore(benchmarkFile, (problem) =>
      log.warn(`the saved benchmarks are not used: ${problem}`, { event: 'benchmark.unreadable', problem }),
    );
    const [send, bodies] = [this.#send(route), benchmark.bodyOf];
    return benchmarkMachine.provide({
      actors: {
        lookUp: fromPromise(async ({ signal }) => store.lookUp(await this.#key(route, signal))),
        warmUp: fromPromise(({ signal }) => warmUp({ send, bodies, count: benchmark.warmup, signal })),
        measure: fromPromise(({ signal }) =>
          measure({
            send,
            // Not those that warmed it up: a model server may still know its answers to them.
            bodies: (index) => bodies(index + benchmark.warmup),
            runs: benchmark.runs,
            concurrency: benchmark.concurrency,
            workloadOf: (body) => workloadOf(route, body, () => {}),
            now,
            onRound: ({ round, perf, failed }) =>
              log.info(`benchmark round ${round} of ${benchmark.runs}: ${perf.toPrecision(4)} units/s`, {
                event: 'benchmark.round',
                round,
                perf,
                failed,
              }),
            signal,
          }),
        ),
        save: fromPromise<void, Measurement>(async ({ input: { maxPerf }, signal }) =>
          store.save(await this.#key(route, signal), maxPerf),
        ),
      },
    });
  }

  #send(route: CompiledRoute): Send {
    const { backend, answerHere } = this.#options;
    if (route.handle !== null || backend.model === null) {
      return async (body, signal) => {
        await answerHere(route, body, signal);
        return { ok: true };
      };
    }
    const { upstreamPath: path, method, timeouts } = route;
    const sender = createBenchmarkSender({
      baseUrl: backend.model.url,
      path,
      method,
      timeouts: finite(timeouts),
    });
    this.#releases.push(() => sender.close());
    return sender.send;
  }

  async #key({ path, benchmark, lane }: CompiledRoute, signal: AbortSignal): Promise<BenchmarkKey> {
    const { backend, config } = this.#options;
    const { runs, concurrency } = benchmark ?? {};
    return {
      backend: backend.name,
      model: config.modelName ?? '',
      settings: {
        path,
        runs,
        concurrency,
        lane: String(lane),
        bodies: benchmark && (await sampleOf(benchmark)),
        preset: config.preset ?? '',
        url: backend.model?.url ?? '',
      },
      gpu: await gpuName({ signal }),
    };
  }
}

/** What stands for the bodies of a benchmark: the first, or how they are made where it is another each time. */
async function sampleOf({ bodyOf, source }: CompiledBenchmark): Promise<unknown> {
  const [one, other] = [await bodyOf(0), await bodyOf(0)];
  return isDeepStrictEqual(one, other) ? one : source;
}

/** As many as requests may be worked on at once, and a few for what is no client's request. */
function connectionsFor(routes: Iterable<CompiledRoute>): number {
  const lanes = [...routes].filter(({ handle }) => handle === null).map(({ lane }) => lane);
  const own = lanes.map((lane) => (lane === 'shared' ? 0 : lane)).reduce((sum, lane) => sum + lane, 0);
  return own + (lanes.includes('shared') ? 1 : 0) + 2;
}

function finite({ firstByteMs, betweenBytesMs, totalMs }: CompiledRoute['timeouts']) {
  return {
    ...(Number.isFinite(firstByteMs) && { firstByteMs }),
    ...(Number.isFinite(betweenBytesMs) && { betweenBytesMs }),
    ...(Number.isFinite(totalMs) && { totalMs }),
  };
}
