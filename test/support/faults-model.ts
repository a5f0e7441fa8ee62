import { onTestFinished } from 'vitest';
import { type FakeModelOptions, startFakeModel } from '../../src/testing/models/index.js';
import { openAt } from '../conformance/rig.js';
import { type Auth, Scribe } from '../conformance/scribe.js';
import { startWorker, type WorkerSetup } from './process.js';

export interface BeforeModelSetup extends Pick<WorkerSetup, 'env' | 'descriptors'> {
  readonly model?: FakeModelOptions;
  /** One that is wrong from the start, say. */
  readonly autoscaler?: Scribe;
}

/**
 * A worker process in front of an engine that pretends, and an autoscaler that writes everything down. It goes by the
 * health route, which it asks often.
 */
export async function startBeforeModel({
  model: given,
  env,
  autoscaler: other,
  ...setup
}: BeforeModelSetup = {}) {
  const autoscaler = other ?? (await Scribe.start());
  const model = await startFakeModel({ kind: 'openai', ...given });
  onTestFinished(() => model.close());
  const worker = await startWorker({
    ...setup,
    backend: 'openai',
    reportTo: autoscaler.url,
    env: {
      MODEL_SERVER_URL: model.url,
      TSWORKER_MAX_PERF: '1000',
      TSWORKER_HEALTH_INTERVAL: '50ms',
      PUBLIC_IPADDR: '127.0.0.1',
      ...env,
    },
  });
  let requests = 0;
  /** A request for a few tokens, signed, unless it is given another signature. */
  const ask = (payload: object = {}, auth: Partial<Auth> = {}) => {
    const auth_data = autoscaler.authFor(worker.url, { request_idx: ++requests, ...auth });
    const body = { auth_data, payload: { model: 'm', prompt: 'p', max_tokens: 4, ...payload } };
    return openAt(worker.port, '/v1/completions', JSON.stringify(body)).response;
  };
  /** The states that it has entered so far. */
  const entered = () => worker.told('state.entered').map(({ state }) => state);
  return { autoscaler, model, worker, ask, entered };
}
