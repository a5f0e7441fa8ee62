import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import helloautoscaler from '../../backends/helloautoscaler.js';
import { ooba } from '../../backends/ooba.js';
import { sdwebui } from '../../backends/sdwebui.js';
import { tgi } from '../../backends/tgi.js';
import { type Backend, configure, defineBackend } from '../../src/backend/index.js';
import { post, send } from '../support/client.js';
import { serve, startWorker } from '../support/worker.js';
import { backendFor, rigAround, startModel } from './rig.js';
import { Scribe } from './scribe.js';

const SENDER = { id: 7, mtoken: 'the-master-token' };
const OFTEN = { TSWORKER_REPORT_INTERVAL: '50ms' };

const shapes = {
  loaded: z.strictObject({ ...sender(), loadtime: z.number(), max_perf: z.number() }),
  update: z.strictObject({ ...sender(), cur_load: z.number(), num_requests_recieved: z.int() }),
  error: z.strictObject({ ...sender(), error_msg: z.string() }),
  loading: z.strictObject({
    ...sender(),
    message: z.literal('loading update'),
    disk_usage: z.number().positive(),
    additional_disk_usage: z.number(),
  }),
  data: z.strictObject({
    ...sender(),
    message: z.literal('data update'),
    num_requests_working: z.int(),
    overloaded: z.boolean(),
    num_requests_recieved: z.int(),
    cur_perf: z.number(),
    error: z.string(),
    loadtime: z.number(),
    max_perf: z.number(),
    cur_load: z.number().nonnegative(),
    cur_capacity: z.number(),
    max_capacity: z.number(),
    curr_tokens_per_second: z.number(),
    url: z.string(),
  }),
  capacity: z.strictObject({
    ...sender(),
    max_batch_prefill_tokens: z.number(),
    max_batch_tokens: z.number(),
    max_capacity: z.number(),
  }),
};

function sender() {
  return { id: z.literal(7), mtoken: z.literal('the-master-token') };
}

/** The names of all messages so far; each has exactly the fields of its kind. */
function kindsOf(autoscaler: Scribe): string[] {
  return autoscaler.bodiesAt('/worker_status/').map((body) => {
    const kinds = Object.entries(shapes).filter(([, shape]) => shape.safeParse(body).success);
    if (kinds.length !== 1) throw new Error(`no message of the dialect: ${JSON.stringify(body)}`);
    return kinds[0]?.[0] ?? '';
  });
}

/** The first message of a shape that matches. */
function untilTold<Message>(
  autoscaler: Scribe,
  shape: z.ZodType<Message>,
  matches: (message: Message) => boolean = () => true,
): Promise<Message> {
  return autoscaler.until(() => {
    for (const body of autoscaler.bodiesAt('/worker_status/')) {
      const { success, data } = shape.safeParse(body);
      if (success && matches(data)) return data;
    }
    return undefined;
  });
}

describe('without a model server: the hello backend', () => {
  async function hello(env = {}) {
    const autoscaler = await Scribe.start();
    const worker = await serve(helloautoscaler, { REPORT_ADDR: autoscaler.url, ...OFTEN, ...env });
    return { autoscaler, ...worker };
  }

  it('tells that it has loaded, once: {id, mtoken, loadtime, max_perf}, id a number, max_perf 0.5', async () => {
    const { autoscaler } = await hello();
    expect(await untilTold(autoscaler, shapes.loaded)).toEqual({
      ...SENDER,
      loadtime: expect.any(Number),
      max_perf: 0.5,
    });
    await autoscaler.until(() => kindsOf(autoscaler).filter((kind) => kind === 'update').length >= 3);
    expect(kindsOf(autoscaler).filter((kind) => kind === 'loaded')).toHaveLength(1);
  });

  it('then updates, the first at once: {id, mtoken, cur_load, num_requests_recieved}', async () => {
    const { autoscaler } = await hello({ TSWORKER_REPORT_INTERVAL: '1h' });
    expect(await untilTold(autoscaler, shapes.update)).toEqual({
      ...SENDER,
      cur_load: 0,
      num_requests_recieved: 0,
    });
    expect(kindsOf(autoscaler)).toEqual(['loaded', 'update']);
  });

  it('cur_load is workload per second over the interval; num_requests_recieved counts its whole life', async () => {
    const { autoscaler, port } = await hello({ TSWORKER_REPORT_INTERVAL: '400ms' });
    // The first interval is a drawn part of one: those after it are whole.
    await autoscaler.until(() => kindsOf(autoscaler).filter((kind) => kind === 'update').length >= 2);
    for (let count = 0; count < 4; count++) await send(port, '/value');
    const first = await untilTold(autoscaler, shapes.update, (told) => told.num_requests_recieved === 4);
    // Four units in about 0.4 s.
    expect(first.cur_load).toBeGreaterThan(2);
    expect(first.cur_load).toBeLessThanOrEqual(20);
    await send(port, '/value');
    await untilTold(autoscaler, shapes.update, (told) => told.num_requests_recieved === 5);
  });

  it('tells neither requests that have finished nor asks for a key', async () => {
    const { autoscaler, port } = await hello();
    await send(port, '/value');
    await untilTold(autoscaler, shapes.update, (told) => told.num_requests_recieved === 1);
    expect(new Set(autoscaler.messages.map(({ path }) => path))).toEqual(new Set(['/worker_status/']));
  });

  it('an error is told as {id, mtoken, error_msg}, at once, and it loads anew when it has recovered', async () => {
    const autoscaler = await Scribe.start();
    const backend = defineBackend({
      name: 'fragile',
      maxPerf: 1,
      routes: {
        '/fail': { handle: ({ fail }) => fail('broken') },
        '/recover': { handle: ({ recovered }) => recovered() },
      },
    });
    const { port } = await serve(backend, { REPORT_ADDR: autoscaler.url, TSWORKER_REPORT_INTERVAL: '1h' });
    await untilTold(autoscaler, shapes.update);
    await post(port, '/fail', {});
    expect(await untilTold(autoscaler, shapes.error)).toEqual({ ...SENDER, error_msg: 'broken' });
  });

  it('while it loads: {id, mtoken, message: "loading update", disk_usage, additional_disk_usage}', async () => {
    const autoscaler = await Scribe.start();
    const backend = defineBackend({
      name: 'slow',
      maxPerf: 1,
      init: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', reject)),
      routes: { '/x': { handle: () => 1 } },
    });
    await startWorker(backend, { REPORT_ADDR: autoscaler.url, ...OFTEN });
    await autoscaler.until(() => kindsOf(autoscaler).length >= 2);
    expect(new Set(kindsOf(autoscaler))).toEqual(new Set(['loading']));
  });

  it('the hello-world backend reports nothing', async () => {
    const autoscaler = await Scribe.start();
    const { default: helloworld } = await import('../../backends/helloworld.js');
    const { port } = await serve(helloworld, { REPORT_ADDR: autoscaler.url, ...OFTEN });
    expect((await send(port, '/value')).body).toEqual({ value: 0 });
    expect(autoscaler.messages).toEqual([]);
  });
});

describe('with a model server, once it has loaded', () => {
  async function modelled(legacyLoad: 'sum' | 'rate' = 'sum', env = {}) {
    const [autoscaler, model] = [await Scribe.start(), await startModel()];
    const backend = backendFor(model, { dialect: 'legacy', legacyLoad });
    return rigAround(autoscaler, model, backend, env);
  }

  it('a data update tells all this, at every heartbeat', async () => {
    const rig = await modelled();
    expect(await untilTold(rig.autoscaler, shapes.data)).toEqual({
      ...SENDER,
      message: 'data update',
      num_requests_working: 0,
      overloaded: false,
      num_requests_recieved: 0,
      cur_perf: 0,
      error: '',
      loadtime: rig.worker.view().loadTimeSeconds,
      max_perf: 1_000,
      cur_load: 0,
      cur_capacity: 0,
      max_capacity: 0,
      curr_tokens_per_second: 0,
      url: rig.url,
    });
    await rig.autoscaler.until(() => kindsOf(rig.autoscaler).filter((kind) => kind === 'data').length >= 3);
  });

  it('a data update is sent on change', async () => {
    const rig = await modelled('sum', { TSWORKER_REPORT_INTERVAL: '1h' });
    await untilTold(rig.autoscaler, shapes.data);
    await post(rig.port, '/v1/completions', { max_tokens: 7 });
    const told = await untilTold(rig.autoscaler, shapes.data, (data) => data.num_requests_recieved === 1);
    expect(told.cur_load).toBe(7);
  });

  it('work that was not told when the worker fails is told by an update, and what was served after it has recovered', async () => {
    const rig = await modelled('sum', { TSWORKER_REPORT_INTERVAL: '1h' });
    const mtoken = 'the-master-token';
    await untilTold(rig.autoscaler, shapes.data);
    // However long the next steps take, no data update tells the work before.
    rig.autoscaler.misdeed = ({ body }) => (shapes.data.safeParse(body).success ? 503 : undefined);
    await post(rig.port, '/v1/completions', { max_tokens: 7 });
    await post(rig.internalPort, '/report_error', { mtoken, error_msg: 'broken' });
    const { cur_load } = await untilTold(
      rig.autoscaler,
      shapes.update,
      (told) => told.num_requests_recieved === 1,
    );
    expect(cur_load).toBeGreaterThan(0);
    rig.autoscaler.misdeed = () => undefined;
    await post(rig.internalPort, '/report_loaded', { mtoken });
    const { ledger } = await rig.autoscaler.until(() => {
      const view = rig.worker.view();
      return view.ledger.reported.served > 0 ? view : undefined;
    });
    expect([ledger.reported.load, ledger.reported.served]).toEqual([7, 7]);
    const told = await untilTold(rig.autoscaler, shapes.data, ({ cur_perf }) => cur_perf > 0);
    expect(told.cur_load).toBe(0);
  });

  it.each([
    ['sum', (told: number) => told === 7],
    ['rate', (told: number) => told > 0 && told !== 7],
  ] as const)('cur_load is the workload not yet delivered, as a %s', async (form, isRight) => {
    const rig = await modelled(form);
    await post(rig.port, '/v1/completions', { max_tokens: 7 });
    const told = await untilTold(rig.autoscaler, shapes.data, ({ cur_load }) => cur_load > 0);
    expect(isRight(told.cur_load)).toBe(true);
  });

  it('which is a sum for tgi and ooba, and a rate per second for sdwebui', () => {
    const loads = [tgi({ dialect: 'legacy' }), ooba(), sdwebui()].map(({ name, legacyLoad }) => [
      name,
      legacyLoad,
    ]);
    expect(Object.fromEntries(loads)).toEqual({ tgi: 'sum', ooba: 'sum', sdwebui: 'rate' });
  });

  it('curr_tokens_per_second and max_capacity are what the log watcher has told', async () => {
    const rig = await modelled();
    const mtoken = 'the-master-token';
    await post(rig.internalPort, '/report_capacity', { mtoken, max_batch_tokens: 4_096 });
    await post(rig.internalPort, '/report_done', { mtoken, time_per_token: 0.02 });
    const told = await untilTold(
      rig.autoscaler,
      shapes.data,
      (data) => data.max_capacity * data.curr_tokens_per_second > 0,
    );
    expect([told.max_capacity, told.curr_tokens_per_second]).toEqual([4_096, 50]);
  });
});

describe('the batch capacity of tgi, when its log watcher has told it', () => {
  const KNOWN = { max_batch_prefill_tokens: 4_096, max_batch_tokens: 16_000 };

  async function inFrontOf(backend: Backend) {
    const [autoscaler, model] = [await Scribe.start(), await startModel({ kind: 'tgi' })];
    const rig = await rigAround(autoscaler, model, backend, {
      MODEL_SERVER_URL: model.url,
      MODEL_HEALTH_ENDPOINT: '/health',
      TSWORKER_MAX_PERF: '100',
    });
    const tell = async (capacity: object) => {
      const answer = await post(rig.internalPort, '/report_capacity', { mtoken: SENDER.mtoken, ...capacity });
      expect(answer.status).toBe(200);
    };
    /** Three more messages have come: what was due before has been told. */
    const threeMore = () => {
      const count = rig.autoscaler.messages.length;
      return rig.autoscaler.until(() => rig.autoscaler.messages.length > count + 2);
    };
    const told = () =>
      autoscaler.bodiesAt('/worker_status/').filter((body) => shapes.capacity.safeParse(body).success);
    return { ...rig, tell, told, threeMore };
  }

  it('is a message of its own, told once, and again when it has changed', async () => {
    const { autoscaler, tell, told, threeMore } = await inFrontOf(tgi({ dialect: 'legacy' }));
    await tell(KNOWN);
    const first = { ...SENDER, ...KNOWN, max_capacity: 16_000 };
    expect(await untilTold(autoscaler, shapes.capacity)).toEqual(first);
    await tell(KNOWN);
    await threeMore();
    expect(told()).toEqual([first]);
    await tell({ max_batch_tokens: 8_000 });
    await threeMore();
    const second = { ...SENDER, max_batch_prefill_tokens: 0, max_batch_tokens: 8_000, max_capacity: 8_000 };
    expect(told()).toEqual([first, second]);
    expect(kindsOf(autoscaler)).toEqual(expect.arrayContaining(['loaded', 'data', 'capacity']));
  });

  it('has the max_capacity that the watcher says, and so have the data updates', async () => {
    const { autoscaler, tell } = await inFrontOf(tgi({ dialect: 'legacy' }));
    await tell({ ...KNOWN, max_capacity: 12_000 });
    expect(await untilTold(autoscaler, shapes.capacity)).toEqual({
      ...SENDER,
      ...KNOWN,
      max_capacity: 12_000,
    });
    await untilTold(autoscaler, shapes.data, ({ max_capacity }) => max_capacity === 12_000);
  });

  it('is told until it is taken, and again after an outage', async () => {
    const { autoscaler, tell, told, threeMore } = await inFrontOf(tgi({ dialect: 'legacy' }));
    const isCapacity = (body: unknown) => shapes.capacity.safeParse(body).success;
    autoscaler.misdeed = ({ body }) => (isCapacity(body) && told().length < 3 ? 503 : undefined);
    await tell(KNOWN);
    await autoscaler.until(() => autoscaler.messages.some((m) => isCapacity(m.body) && m.acknowledged));
    await threeMore();
    expect(told()).toHaveLength(3);
    let refusals = 0;
    autoscaler.misdeed = () => (refusals++ < 1 ? 503 : undefined);
    await autoscaler.until(() => told().length === 4);
    expect(told()).toEqual(Array(4).fill({ ...SENDER, ...KNOWN, max_capacity: 16_000 }));
  });

  it.each([
    ['ooba', ooba()],
    ['sdwebui, in the legacy dialect', legacySdwebui()],
  ])('is no message of %s, whose data updates have it all the same', async (_name, backend) => {
    const { autoscaler, tell, told, threeMore } = await inFrontOf(backend);
    await tell(KNOWN);
    await untilTold(autoscaler, shapes.data, ({ max_capacity }) => max_capacity === 16_000);
    await threeMore();
    expect(told()).toEqual([]);
  });

  it('is not told by tgi in the current dialect', async () => {
    const { autoscaler, tell, threeMore } = await inFrontOf(tgi());
    await tell(KNOWN);
    await threeMore();
    // Each of them is a status.
    expect(autoscaler.statuses.at(-1)?.max_capacity).toBe(0);
  });
});

function legacySdwebui(): Backend {
  return configure(sdwebui(), { dialect: 'legacy' });
}
