import { describe, expect, it } from 'vitest';
import type { Behaviour } from '../../src/testing/models/index.js';
import { all, failureOf, type Grounds, startWhole } from './world.js';

type Failing = keyof Behaviour;

/** What a client meets when the model behaves so. */
interface Met {
  readonly behaviour: Behaviour;
  /**
   * - `nothing`: the answer comes at the first attempt.
   * - `answers`: those that another attempt may mend: it is sent again, until the model is well.
   * - `cuts`: answers that break off: it is sent again as a new request.
   * - `silence`: the call ends with its time.
   * - `no worker`: the worker takes nothing until the model is well.
   */
  readonly as: 'nothing' | 'answers' | 'cuts' | 'silence' | 'no worker';
  /** Of the answers. */
  readonly status?: number;
  readonly reason?: string;
}

const FAILED = { as: 'answers', status: 500, reason: 'model_failed' } as const;

/** Everything that a fake model can do: what is added to it has to be added here. */
const MET: Readonly<Record<Failing, Met>> = {
  tokensPerSecond: { behaviour: { tokensPerSecond: 500 }, as: 'nothing' },
  tokens: { behaviour: { tokens: 3 }, as: 'nothing' },
  firstByteDelayMs: { behaviour: { firstByteDelayMs: 20 }, as: 'nothing' },
  pauseAfterTokens: { behaviour: { pauseAfterTokens: 1 }, as: 'silence' },
  crashAfterTokens: { behaviour: { crashAfterTokens: 1 }, ...FAILED },
  outOfMemory: { behaviour: { outOfMemory: true }, ...FAILED },
  hang: { behaviour: { hang: true }, as: 'silence' },
  refuse: { behaviour: { refuse: true }, ...FAILED },
  garbage: { behaviour: { garbage: true }, ...FAILED },
  garbageAfterTokens: { behaviour: { garbageAfterTokens: 1 }, as: 'nothing' },
  halfBody: { behaviour: { halfBody: true }, as: 'cuts' },
  endlessHeaders: { behaviour: { endlessHeaders: true }, ...FAILED },
  status: { behaviour: { status: 500 }, as: 'answers', status: 500 },
  healthStatus: { behaviour: { healthStatus: 500 }, as: 'no worker' },
  healthDelayMs: { behaviour: { healthDelayMs: 2_000 }, as: 'no worker' },
  gzip: { behaviour: { gzip: true }, as: 'nothing' },
  binary: { behaviour: { binary: true }, as: 'nothing' },
  trailers: { behaviour: { trailers: true }, as: 'nothing' },
  hopByHop: { behaviour: { hopByHop: true }, as: 'nothing' },
  chatty: { behaviour: { chatty: true }, as: 'nothing' },
};

const named = (as: Met['as']) => Object.entries(MET).filter(([, met]) => met.as === as);

/** As it is taken back. */
const well = ({ behaviour }: Met): Behaviour =>
  Object.fromEntries(Object.keys(behaviour).map((name) => [name, undefined]));

const PAYLOAD = { prompt: 'Once', max_tokens: 3 };
const PATH = '/v1/completions';

const start = (behaviour: Behaviour, given: Grounds = {}) =>
  startWhole({ ...given, model: { behaviour: { tokens: 3, ...behaviour } } });

describe('a request to a model', () => {
  it.each(named('nothing'))('that does %s is answered at the first attempt', async (name, { behaviour }) => {
    const { endpoint, model } = await start(behaviour);
    const { body, attempts, headers } = await endpoint.request(PATH, PAYLOAD);
    expect([attempts, model.requests.length]).toEqual([1, 1]);
    if (name === 'binary') {
      const bytes = Uint8Array.from({ length: 3 * 256 }, (_, index) => index % 256);
      expect(body).toEqual(bytes);
    } else {
      expect(body).toMatchObject({ choices: [{ text: 'tok0 tok1 tok2' }] });
    }
    if (name === 'hopByHop') {
      expect([headers.get('x-end-to-end'), headers.get('x-hop')]).toEqual(['for the client', null]);
    }
  });

  it.each(named('answers'))('that does %s is sent again until it is well', async (_name, met) => {
    const { endpoint, client, model, told } = await start({});
    model.behave(met.behaviour);
    client.on('retry', () => model.behave(well(met)));
    const { body, attempts } = await endpoint.request(PATH, PAYLOAD);
    expect(body).toMatchObject({ choices: [{ text: 'tok0 tok1 tok2' }] });
    expect(attempts).toBe(2);
    const errors = told.flatMap((event) => (event.name === 'retry' ? [event.error] : []));
    expect(errors).toMatchObject([{ code: 'worker_failed', status: met.status, reason: met.reason }]);
  });

  it.each(named('answers'))(
    'that does %s all the time fails within its time, and says how',
    async (_, met) => {
      const { endpoint, model } = await start({});
      model.behave(met.behaviour);
      const error = await failureOf(endpoint.request(PATH, PAYLOAD, { maxRetries: 2 }));
      expect(error).toMatchObject({ code: 'worker_failed', status: met.status, reason: met.reason });
      expect(error.what).toMatch(/It was the last of 3 attempts: maxRetries allows no more\.$/);
    },
  );

  it.each(named('cuts'))('that does %s is sent again as a new request', async (_name, met) => {
    const { endpoint, client, model, told } = await start(met.behaviour);
    client.on('retry', () => model.behave(well(met)));
    const { body, attempts, requestIdx } = await endpoint.request(PATH, PAYLOAD);
    expect(body).toMatchObject({ choices: [{ text: 'tok0 tok1 tok2' }] });
    expect([attempts, requestIdx]).toEqual([2, 2]);
    const errors = told.flatMap((event) => (event.name === 'retry' ? [event.error.code] : []));
    expect(errors).toEqual(['worker_lost']);
  });

  it.each(named('silence'))('that does %s ends with its time, and is not sent again', async (_name, met) => {
    const { endpoint, model, autoscaler } = await start({});
    model.behave(met.behaviour);
    const error = await failureOf(endpoint.request(PATH, PAYLOAD, { timeout: 1_000 }));
    expect(error.code).toBe('timeout');
    expect(model.requests).toHaveLength(1);
    await model.untilAborted();
    await autoscaler.waitForCompletion(({ status }) => status === 'Cancelled');
  });

  it.each(named('no worker'))('that does %s waits for a worker', async (_name, met) => {
    const { endpoint, client, model, autoscaler } = await start(
      {},
      { env: { TSWORKER_HEALTH_INTERVAL: '20ms', TSWORKER_HEALTH_TIMEOUT: '250ms' } },
    );
    model.behave(met.behaviour);
    await autoscaler.waitForMessage(({ body }) => (body as { error_msg?: string }).error_msg !== '');
    client.on('waiting', () => model.behave(well(met)));
    const { attempts } = await endpoint.request(PATH, PAYLOAD);
    expect([attempts, model.requests.length]).toEqual([1, 1]);
  });
});

const STREAM = { ...PAYLOAD, stream: true };

describe('a stream of a model', () => {
  it.each<[Failing, Behaviour]>([
    ['crashAfterTokens', { crashAfterTokens: 2 }],
    ['garbageAfterTokens', { garbageAfterTokens: 2 }],
    ['halfBody', { halfBody: true }],
  ])('that breaks off (%s) fails after what has come, and is not begun anew', async (_name, behaviour) => {
    const { endpoint, model, told } = await start(behaviour);
    const texts: string[] = [];
    const reading = (async () => {
      const events = endpoint.stream<{ choices: [{ text: string }] }>(PATH, STREAM);
      for await (const { data } of events) texts.push(data.choices[0].text);
    })();
    expect((await failureOf(reading)).code).toBe('stream_cut');
    expect(texts).toEqual(['tok0', ' tok1']);
    expect(model.requests).toHaveLength(1);
    expect(told.filter(({ name }) => name === 'retry')).toEqual([]);
  });

  it.each<[Failing, Behaviour]>([
    ['crashAfterTokens', { crashAfterTokens: 0 }],
    ['outOfMemory', { outOfMemory: true }],
    ['garbage', { garbage: true }],
    ['status', { status: 503 }],
  ])('that has not begun (%s) is begun anew', async (_name, behaviour) => {
    const { endpoint, client, model } = await start({});
    model.behave(behaviour);
    client.on('retry', () => model.behave(well({ behaviour, as: 'answers' })));
    expect(await all(endpoint.stream(PATH, STREAM))).toHaveLength(3);
    expect(model.requests).toHaveLength(2);
  });

  it.each<[Failing, Behaviour]>([
    ['gzip', { gzip: true }],
    ['trailers', { trailers: true }],
    ['tokensPerSecond', { tokensPerSecond: 500 }],
  ])('comes whole from one that does %s', async (_name, behaviour) => {
    const { endpoint } = await start(behaviour);
    expect(await all(endpoint.stream(PATH, STREAM))).toHaveLength(3);
  });

  it('that stands still ends with its idle time, and stops the work', async () => {
    const { endpoint, model } = await start({ pauseAfterTokens: 2 });
    const events: unknown[] = [];
    const reading = (async () => {
      for await (const event of endpoint.stream(PATH, STREAM, { idleTimeout: 100 })) events.push(event);
    })();
    expect((await failureOf(reading)).code).toBe('timeout');
    expect(events).toHaveLength(2);
    await model.untilAborted();
  });
});
