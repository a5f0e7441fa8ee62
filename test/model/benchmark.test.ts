import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createActor, fromPromise, toPromise } from 'xstate';
import { benchmarkMachine, type Measurement, type WarmUpResult } from '../../machines/benchmark.js';
import { type MeasureOptions, measure, type Round, type Sent, warmUp } from '../../src/model/benchmark.js';
import { createBenchmarkSender } from '../../src/model/benchmark-client.js';
import { nobody, serveModel } from '../support/model-server.js';

const never = new AbortController().signal;

/** A measurement of which each request takes 100 ms of a clock that the test moves. */
function measurement(options: Partial<MeasureOptions> = {}) {
  const rounds: Round[] = [];
  const sent: unknown[] = [];
  let nowMs = 0;
  const given: MeasureOptions = {
    send: async (body) => {
      sent.push(body);
      return { ok: true };
    },
    bodies: (index) => ({ index }),
    runs: 2,
    concurrency: 3,
    workloadOf: () => 10,
    now: () => {
      const read = nowMs;
      nowMs += 100;
      return read;
    },
    onRound: (round) => rounds.push(round),
    signal: never,
    ...options,
  };
  return { rounds, sent, result: measure(given) };
}

describe('measuring', () => {
  it('sends rounds of requests at once, with bodies counted over all of them', async () => {
    const { rounds, sent, result } = measurement();
    expect(await result).toEqual({ maxPerf: 300 });
    expect(sent).toEqual([0, 1, 2, 3, 4, 5].map((index) => ({ index })));
    expect(rounds).toEqual([1, 2].map((round) => ({ round, succeeded: 3, failed: 0, perf: 300 })));
  });

  it('takes the best round, each by the workload of what succeeded in it', async () => {
    const { rounds, result } = measurement({
      runs: 3,
      concurrency: 2,
      workloadOf: (body) => (body as { index: number }).index,
      send: async (body) => ((body as { index: number }).index === 5 ? failure('no') : { ok: true }),
    });
    expect(await result).toEqual({ maxPerf: 50 });
    expect(rounds.map(({ succeeded, failed, perf }) => [succeeded, failed, perf])).toEqual([
      [2, 0, 10],
      [2, 0, 50],
      [1, 1, 40],
    ]);
  });

  it.each<[string, () => Promise<Sent>]>([
    ['fails', async () => failure('it answered with status 500')],
    ['breaks', () => Promise.reject(new Error('socket hang up'))],
    ['is refused', async () => ({ ...failure('connect ECONNREFUSED'), notReady: true })],
  ])('one request that %s does not fail the others', async (_, fail) => {
    let requests = 0;
    const { result } = measurement({ send: async () => (++requests === 1 ? fail() : { ok: true }) });
    expect(await result).toEqual({ maxPerf: 300 });
  });

  it('all benchmark requests failed: rejects with the reason of the first', async () => {
    let requests = 0;
    const { rounds, result } = measurement({ send: async () => failure(`reason ${++requests}`) });
    await expect(result).rejects.toThrow('no request of the benchmark succeeded: reason 1');
    expect(rounds.map(({ perf }) => perf)).toEqual([0, 0]);
  });

  it('a body that can not be made is a request that fails', async () => {
    const { result } = measurement({
      bodies: () => {
        throw new Error('the data set is empty');
      },
    });
    await expect(result).rejects.toThrow('no request of the benchmark succeeded: the data set is empty');
  });

  it('a round in which the clock stands still is not infinitely fast', async () => {
    const { result } = measurement({ now: () => 5 });
    expect(Number.isFinite((await result).maxPerf)).toBe(true);
  });

  it('ends when its signal is aborted, and begins no other round', async () => {
    const abort = new AbortController();
    const { sent, result } = measurement({
      signal: abort.signal,
      onRound: () => {},
      bodies: (index) => {
        abort.abort(new Error('too late'));
        return index;
      },
    });
    await expect(result).rejects.toThrow('too late');
    expect(sent).toEqual([0, 1, 2]);
  });
});

describe('warming up', () => {
  const bodies = (index: number) => index;

  it('sends one after the other, and none where none is wanted', async () => {
    const sent: unknown[] = [];
    let open = 0;
    const send = async (body: unknown): Promise<Sent> => {
      expect(++open).toBe(1);
      await delay(1);
      open--;
      sent.push(body);
      return { ok: true };
    };
    expect(await warmUp({ send, bodies, count: 3, signal: never })).toEqual({ ready: true });
    expect(sent).toEqual([0, 1, 2]);
    expect(await warmUp({ send, bodies, count: 0, signal: never })).toEqual({ ready: true });
    expect(sent).toEqual([0, 1, 2]);
  });

  it('is not ready where the model does not take requests yet; any other failure is left to the rounds', async () => {
    const answers: Sent[] = [
      { ...failure('refused'), notReady: true },
      failure('it answered with status 400'),
    ];
    const send = async () => answers.shift() ?? failure('no');
    expect(await warmUp({ send, bodies, count: 1, signal: never })).toEqual({
      ready: false,
      reason: 'refused',
    });
    expect(await warmUp({ send, bodies, count: 1, signal: never })).toEqual({ ready: true });
  });

  it('ends when its signal is aborted', async () => {
    const abort = new AbortController();
    const send = async () => {
      abort.abort(new Error('too late'));
      return failure('aborted');
    };
    await expect(warmUp({ send, bodies, count: 2, signal: abort.signal })).rejects.toThrow('too late');
  });
});

describe('a benchmark of a real server', () => {
  /** The whole: the machine with its effects, and a store that has nothing. */
  function run(url: string, timeoutMs = 10_000) {
    const sender = createBenchmarkSender({ baseUrl: url, path: '/generate', method: 'POST', timeouts: {} });
    onTestFinished(() => sender.close());
    const { send } = sender;
    const bodies = (index: number) => ({ prompt: `number ${index}` });
    const saved: number[] = [];
    const machine = benchmarkMachine.provide({
      actors: {
        lookUp: fromPromise<number | null, undefined>(async () => null),
        warmUp: fromPromise<WarmUpResult, undefined>(({ signal }) =>
          warmUp({ send, bodies, count: 1, signal }),
        ),
        measure: fromPromise<Measurement, undefined>(({ signal }) =>
          measure({
            send,
            bodies,
            runs: 2,
            concurrency: 5,
            workloadOf: () => 100,
            now: () => performance.now(),
            onRound: () => {},
            signal,
          }),
        ),
        save: fromPromise<void, Measurement>(async ({ input }) => void saved.push(input.maxPerf)),
      },
      actions: {
        'say that it waits': () => {},
        'say that it has begun': () => {},
        'say that it is tried again': () => {},
        'say that it is saved': () => {},
      },
    });
    const actor = createActor(machine, { input: { timeoutMs, probeRetryMs: 5, at: '' } }).start();
    return { actor, saved, output: toPromise(actor) };
  }

  it('sends one request to warm up, then all of a round at once', async () => {
    const model = await serveModel((_, response) => void delay(20).then(() => response.end('{}')));
    const { output, saved } = run(model.url);
    const result = await output;
    expect(result).toEqual({ ok: true, maxPerf: expect.any(Number), measured: true });
    const { maxPerf } = result as { maxPerf: number };
    expect(maxPerf).toBeGreaterThan(0);
    expect(maxPerf).toBeLessThanOrEqual(500 / 0.019);
    expect(saved).toEqual([maxPerf]);
    expect([model.requests.length, model.most]).toEqual([11, 5]);
  });

  it('that runs before the port is open waits for it, and then measures', async () => {
    const { url, port } = await nobody();
    const { actor, output } = run(url);
    await expect.poll(() => actor.getSnapshot().context.notReady.said).toContain('ECONNREFUSED');
    await serveModel((_, response) => response.end(), port);
    expect(await output).toEqual({ ok: true, maxPerf: expect.any(Number), measured: true });
  });

  it('that answers 503 while it loads is waited for', async () => {
    let requests = 0;
    const model = await serveModel((_, response) => response.writeHead(++requests < 4 ? 503 : 200).end());
    expect(await run(model.url).output).toMatchObject({ ok: true });
    expect(requests).toBe(3 + 11);
  });

  it('that answers errors at first is measured again until it does not', async () => {
    let requests = 0;
    // Two attempts come to nothing: one request that warms up and ten that are measured, twice.
    const model = await serveModel((_, response) => response.writeHead(++requests > 22 ? 200 : 500).end());
    const { actor, output, saved } = run(model.url);
    const result = await output;
    expect(result).toEqual({ ok: true, maxPerf: expect.any(Number), measured: true });
    expect(saved).toEqual([(result as { maxPerf: number }).maxPerf]);
    expect([requests, actor.getSnapshot().context.failures]).toEqual([33, 2]);
  });

  it('all of whose requests fail has failed, with the reason, rather than loaded with a speed of 0', async () => {
    const model = await serveModel((_, response) => response.writeHead(500).end('CUDA error'));
    expect(await run(model.url, 1_000).output).toEqual({
      ok: false,
      reason: expect.stringMatching(
        /^no request of the benchmark succeeded: it answered with status 500: CUDA error \(measured (?:once|\d+ times) in 1 s\)$/,
      ),
    });
  });

  it('that hangs is given up when its time is over, and its requests with it', async () => {
    let [begun, closed] = [0, 0];
    const model = await serveModel((_, response) => {
      begun++;
      response.on('close', () => closed++);
      response.write('data: 1\n\n');
    });
    expect(await run(model.url, 100).output).toEqual({
      ok: false,
      reason: 'the benchmark took more than 0.1 s',
    });
    await expect.poll(() => closed).toBe(begun);
  });
});

function failure(reason: string): Sent & { ok: false } {
  return { ok: false, reason };
}
