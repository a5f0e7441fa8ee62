import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Backend } from '../../src/backend/index.js';
import { type FakeModel, type FakeModelOptions, startFakeModel } from '../../src/testing/models/index.js';
import { post } from '../support/client.js';
import { serveModel } from '../support/model-server.js';
import { type Env, type RunningWorker, startWorker, untilState } from '../support/worker.js';

/** A folder that is gone after the test. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-backend-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A model server that pretends. It ends with the test. */
export async function fakeModel(options: FakeModelOptions): Promise<FakeModel> {
  // A benchmark sends many requests: whatever they ask for, they are short.
  const model = await startFakeModel({ ...options, behaviour: { tokens: 3, ...options.behaviour } });
  onTestFinished(() => model.close());
  return model;
}

export interface Stand extends RunningWorker {
  /** The units of work per second in the file of results; null: nothing was measured. */
  measured(): number | null;
}

/** A worker that serves a backend, whose door is open, and whose autoscaler takes every report. */
export async function stand(backend: Backend, env: Env = {}): Promise<Stand> {
  const running = await begin(backend, env);
  await untilState(running.worker, 'serving');
  return running;
}

/** The same, of which the model may not have loaded yet. */
export async function begin(backend: Backend, env: Env = {}): Promise<Stand> {
  const benchmarkFile = join(scratch(), 'benchmarks.json');
  const autoscaler = await serveModel((_request, response) => response.end('{}'));
  const running = await startWorker(backend, {
    UNSECURED: 'true',
    PUBLIC_IPADDR: '127.0.0.1',
    REPORT_ADDR: autoscaler.url,
    TSWORKER_BENCHMARK_FILE: benchmarkFile,
    ...env,
  });
  return { ...running, measured: () => measuredIn(benchmarkFile) };
}

function measuredIn(file: string): number | null {
  try {
    const { results } = JSON.parse(readFileSync(file, 'utf8')) as {
      results: Record<string, { maxPerf: number }>;
    };
    return Object.values(results)[0]?.maxPerf ?? null;
  } catch {
    return null;
  }
}

/** Posts a payload in the envelope of the current dialect, unsigned. */
export function ask({ port }: Stand, path: string, payload: unknown) {
  return post(port, path, { payload });
}

/** The work of each request that has ended well, in order. */
export function workOf({ requests }: Stand): number[] {
  return requests.flatMap((event) => (event.type === 'request.succeeded' ? [event.workload] : []));
}
