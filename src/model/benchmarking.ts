import { isDeepStrictEqual } from 'node:util';
import { fromPromise } from 'xstate';
import { type BenchmarkInput, benchmarkMachine, type Measurement } from '../../machines/benchmark.js';
import { type Backend, type CompiledBenchmark, type CompiledRoute, workloadOf } from '../backend/index.js';
import type { Config } from '../config/index.js';
import { inWords } from '../in-words.js';
import type { Log } from '../log.js';
import { measure, type Round, type Send, warmUp } from './benchmark.js';
import { createBenchmarkSender } from './benchmark-client.js';
import { type BenchmarkKey, createBenchmarkStore } from './benchmark-store.js';
import { gpuName } from './gpu.js';

export interface BenchmarkingOptions {
  readonly backend: Backend;
  readonly config: Config;
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** Where the results of benchmarks are kept. */
  readonly benchmarkFile: string;
  /** Answers a body with a route that is handled here, to its end. */
  readonly answerHere: (route: CompiledRoute, body: unknown, signal: AbortSignal) => Promise<void>;
}

const RETRY_MS = 2_000;

/** How the speed of the backend's model is found out: the first route that has a benchmark says with what. */
export class Benchmarking {
  readonly #options: BenchmarkingOptions;
  readonly #route: CompiledRoute | null;
  readonly #releases: (() => Promise<void>)[] = [];

  constructor(options: BenchmarkingOptions) {
    this.#options = options;
    this.#route = [...options.backend.routes.values()].find(({ benchmark }) => benchmark !== null) ?? null;
  }

  /** Whether any route has a benchmark. */
  get wanted(): boolean {
    return this.#route !== null;
  }

  input(): BenchmarkInput {
    const { backend } = this.#options;
    return {
      timeoutMs: this.#route?.benchmark?.timeoutMs ?? 1,
      probeRetryMs: RETRY_MS,
      at: backend.model?.url ?? '',
    };
  }

  /** The machine with its effects; where no benchmark is wanted, one that must not be run. */
  machine() {
    const route = this.#route;
    const benchmark = route?.benchmark;
    if (route == null || benchmark == null) return benchmarkMachine;
    const { log, now, benchmarkFile } = this.#options;
    const store = createBenchmarkStore(benchmarkFile, (problem) =>
      log.warn(`the saved benchmarks are not used: ${problem}`, { event: 'benchmark.unreadable', problem }),
    );
    const [send, bodies] = [this.#send(route), benchmark.bodyOf];
    let gpu = Promise.resolve('');
    return benchmarkMachine.provide({
      actors: {
        lookUp: fromPromise(async ({ signal }) => {
          gpu = gpuName({ signal });
          return store.lookUp(await this.#key(route, benchmark, await gpu));
        }),
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
            onRound: (round) => tellRound(round, benchmark.runs, log),
            signal,
          }),
        ),
        // The GPU is the one of the look-up; the bodies may say more by now, such as the name of the model.
        save: fromPromise<void, Measurement>(async ({ input: { maxPerf } }) =>
          store.save(await this.#key(route, benchmark, await gpu), maxPerf),
        ),
      },
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#releases.splice(0).map((release) => release()));
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

  async #key(
    { path, lane, workload }: CompiledRoute,
    benchmark: CompiledBenchmark,
    gpu: string,
  ): Promise<BenchmarkKey> {
    const { backend, config } = this.#options;
    const { runs, concurrency } = benchmark;
    return {
      backend: backend.name,
      model: config.modelName ?? '',
      settings: {
        path,
        runs,
        concurrency,
        lane: String(lane),
        bodies: await sampleOf(benchmark),
        // A speed is in the units that this counts.
        workload: String(workload),
        preset: config.preset ?? '',
        url: backend.model?.url ?? '',
      },
      gpu,
    };
  }
}

function tellRound({ round, perf, succeeded, failed }: Round, runs: number, log: Log): void {
  const failures = failed === 0 ? '' : ` (${failed} of ${succeeded + failed} requests failed)`;
  const fields = { event: 'benchmark.round', round, perf, failed };
  log.info(`benchmark round ${round} of ${runs}: ${inWords(perf)} units/s${failures}`, fields);
}

/** What stands for the bodies of a benchmark: the first, or how they are made where it is another each time. */
async function sampleOf({ bodyOf, source }: CompiledBenchmark): Promise<unknown> {
  const [one, other] = [await bodyOf(0), await bodyOf(0)];
  return isDeepStrictEqual(one, other) ? one : source;
}

function finite({ firstByteMs, betweenBytesMs, totalMs }: CompiledRoute['timeouts']) {
  return {
    ...(Number.isFinite(firstByteMs) && { firstByteMs }),
    ...(Number.isFinite(betweenBytesMs) && { betweenBytesMs }),
    ...(Number.isFinite(totalMs) && { totalMs }),
  };
}
