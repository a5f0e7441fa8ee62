import { describe, expect, it } from 'vitest';
import { post } from '../support/client.js';
import { nobody } from '../support/model-server.js';
import { untilState } from '../support/worker.js';
import { backendFor, rigAround, startModel, startRig } from './rig.js';
import { Scribe, sumsOf } from './scribe.js';

/** Nothing is told because it is time. */
const NO_HEARTBEAT = { TSWORKER_REPORT_INTERVAL: '1h' };
const QUICK_RETRY = { TSWORKER_REPORT_MAX_BACKOFF: '20ms' };

const isStatus = ({ path }: { path: string }) => path === '/worker_status/';

describe('POST {REPORT_ADDR}/worker_status/', () => {
  it('is JSON with exactly these fields', async () => {
    const rig = await startRig();
    expect((await rig.ask('/v1/completions', { max_tokens: 7 })).status).toBe(200);
    const status = await rig.autoscaler.untilStatus(({ cur_perf }) => cur_perf === 7);
    expect(status).toEqual({
      id: 7,
      mtoken: 'the-master-token',
      version: '1.1.0',
      loadtime: rig.worker.view().loadTimeSeconds,
      new_load: expect.any(Number),
      cur_load: 0,
      rej_load: 0,
      max_perf: 1_000,
      cur_perf: 7,
      error_msg: '',
      num_requests_working: 0,
      num_requests_recieved: 1,
      additional_disk_usage: expect.any(Number),
      working_request_idxs: [],
      cur_capacity: 0,
      max_capacity: 0,
      url: rig.url,
    });
    const { method, contentType } = rig.autoscaler.messages.find(isStatus) ?? {};
    expect([method, contentType]).toEqual(['POST', 'application/json']);
  });

  it.each(['', '/'])('the address may end with %j', async (slash) => {
    const [autoscaler, model] = [await Scribe.start(), await startModel()];
    await rigAround(autoscaler, model, backendFor(model), { REPORT_ADDR: autoscaler.url + slash });
    expect(await autoscaler.untilStatus(({ loadtime }) => loadtime > 0)).toMatchObject({ id: 7 });
  });

  it('loadtime and max_perf are 0 until the model is loaded, then in every status', async () => {
    const rig = await startRig({ loading: true, model: { loadTimeMs: 150 } });
    await rig.autoscaler.untilStatus(({ loadtime }) => loadtime > 0);
    await rig.autoscaler.nextStatus();
    const told = rig.autoscaler.statuses.map(({ loadtime, max_perf }) => [loadtime, max_perf]);
    const loadTime = rig.worker.view().loadTimeSeconds;
    const firstLoaded = told.findIndex(([loadtime]) => loadtime !== 0);
    expect(firstLoaded).toBeGreaterThan(0);
    expect(told.slice(0, firstLoaded).every((one) => one.join() === '0,0')).toBe(true);
    expect(told.slice(firstLoaded).every((one) => one.join() === `${loadTime},1000`)).toBe(true);
    expect(loadTime).toBeGreaterThan(0);
  });

  it('new_load, rej_load and cur_perf are sums since the last delivered report; the rest is as it stands', async () => {
    const rig = await startRig();
    for (const max_tokens of [3, 4, 5]) await rig.ask('/v1/completions', { max_tokens });
    const toldAll = await rig.autoscaler.untilStatus(
      ({ new_load, cur_perf, num_requests_recieved }) =>
        num_requests_recieved === 3 && new_load === 0 && cur_perf === 0,
    );
    expect(toldAll).toMatchObject({ id: 7, rej_load: 0 });
    expect(sumsOf(rig.autoscaler.statuses)).toEqual({ new_load: 12, rej_load: 0, cur_perf: 12 });
  });

  it('working_request_idxs are those in the worker now', async () => {
    const rig = await startRig({ model: { behaviour: { pauseAfterTokens: 0 } } });
    for (const request_idx of [11, 12, 13]) {
      rig.open('/v1/completions', { max_tokens: 1 }, { auth: { request_idx } });
      await rig.model.untilRequest(request_idx - 10);
    }
    const status = await rig.autoscaler.untilStatus(({ num_requests_working }) => num_requests_working === 3);
    expect([status.working_request_idxs, status.cur_load]).toEqual([[11, 12, 13], 3]);
  });
});

describe('the cadence', () => {
  it('a change of state is told at once: loaded', async () => {
    const rig = await startRig({ env: NO_HEARTBEAT });
    expect(await rig.autoscaler.untilStatus(({ loadtime }) => loadtime > 0)).toMatchObject({
      max_perf: 1_000,
    });
  });

  it('a change of state is told at once: failing, with the reason, and recovered, with none', async () => {
    const rig = await startRig({
      env: { ...NO_HEARTBEAT, TSWORKER_HEALTH_INTERVAL: '20ms', TSWORKER_HEALTH_STRIKES: '1' },
    });
    rig.model.behave({ healthStatus: 503 });
    const failing = await rig.autoscaler.untilStatus(({ error_msg }) => error_msg !== '');
    expect(failing.error_msg).toContain('503');
    rig.model.behave({ healthStatus: undefined });
    await rig.autoscaler.until(() => {
      const last = rig.autoscaler.statuses.at(-1);
      return rig.autoscaler.statuses.indexOf(failing) < 0 && last?.error_msg === '' && last.loadtime > 0;
    });
    await untilState(rig.worker, 'serving');
  });

  it('a change of the work is told within a second or so', async () => {
    const rig = await startRig({ env: NO_HEARTBEAT });
    await rig.autoscaler.untilStatus(({ loadtime }) => loadtime > 0);
    const askedAtMs = performance.now();
    await rig.ask('/v1/completions', { max_tokens: 7 });
    await rig.autoscaler.untilStatus(({ cur_perf }) => cur_perf === 7);
    const tookMs = performance.now() - askedAtMs;
    expect(tookMs).toBeGreaterThan(500);
    expect(tookMs).toBeLessThan(3_000);
  });

  it('without a change one is sent at every heartbeat, while it loads and when it serves', async () => {
    const rig = await startRig({ loading: true, model: { loadTimeMs: 200 } });
    await rig.autoscaler.until(
      () => rig.autoscaler.statuses.filter(({ loadtime }) => loadtime === 0).length >= 2,
    );
    await rig.autoscaler.until(
      () => rig.autoscaler.statuses.filter(({ loadtime }) => loadtime > 0).length >= 3,
    );
  });
});

describe('delivered is a status whose 2xx answer was read', () => {
  it.each([500, 404, 302, 'reset'] as const)(
    'one that is answered with %s is told again, exactly once',
    async (how) => {
      const rig = await startRig({ env: { ...QUICK_RETRY, TSWORKER_REPORT_TIMEOUT: '200ms' } });
      let failures = 0;
      rig.autoscaler.misdeed = (message) => (isStatus(message) && failures++ < 2 ? how : undefined);
      await rig.ask('/v1/completions', { max_tokens: 7 });
      await rig.autoscaler.untilStatus(({ num_requests_recieved }) => num_requests_recieved === 1);
      await rig.autoscaler.nextStatus();
      expect(failures).toBeGreaterThan(2);
      expect(sumsOf(rig.autoscaler.statuses)).toEqual({ new_load: 7, rej_load: 0, cur_perf: 7 });
    },
  );

  it('one that is never answered is given up after the time-out, and its work is in the next', async () => {
    const rig = await startRig({ env: { ...QUICK_RETRY, TSWORKER_REPORT_TIMEOUT: '100ms' } });
    let failures = 0;
    rig.autoscaler.misdeed = (message) => (isStatus(message) && failures++ < 1 ? 'hang' : undefined);
    await rig.ask('/v1/completions', { max_tokens: 7 });
    await rig.autoscaler.untilStatus(({ num_requests_recieved }) => num_requests_recieved === 1);
    await rig.autoscaler.nextStatus();
    expect(sumsOf(rig.autoscaler.statuses)).toEqual({ new_load: 7, rej_load: 0, cur_perf: 7 });
  });

  it('each attempt cuts a window of its own: what came between is in it', async () => {
    const rig = await startRig({ env: QUICK_RETRY });
    rig.autoscaler.misdeed = (message) => (isStatus(message) ? 503 : undefined);
    await rig.ask('/v1/completions', { max_tokens: 7 });
    await rig.autoscaler.until(() => lastTold(rig.autoscaler, 'cur_perf') === 7);
    await rig.ask('/v1/completions', { max_tokens: 5 });
    await rig.autoscaler.until(() => lastTold(rig.autoscaler, 'cur_perf') === 12);
    rig.autoscaler.misdeed = () => undefined;
    await rig.autoscaler.nextStatus();
    expect(sumsOf(rig.autoscaler.statuses)).toEqual({ new_load: 12, rej_load: 0, cur_perf: 12 });
  });

  it('an error destroys no counter', async () => {
    const rig = await startRig({ env: { ...QUICK_RETRY } });
    rig.autoscaler.misdeed = (message) => (isStatus(message) ? 503 : undefined);
    await rig.ask('/v1/completions', { max_tokens: 7 });
    await post(rig.internalPort, '/report_error', { mtoken: 'the-master-token', error_msg: 'broken' });
    rig.autoscaler.misdeed = () => undefined;
    await rig.autoscaler.untilStatus(({ error_msg }) => error_msg === 'broken');
    await rig.autoscaler.nextStatus();
    expect(sumsOf(rig.autoscaler.statuses)).toEqual({ new_load: 7, rej_load: 0, cur_perf: 7 });
    expect(rig.autoscaler.statuses.at(-1)?.num_requests_recieved).toBe(1);
  });
});

function lastTold({ messages }: Scribe, field: string): unknown {
  const body = messages.findLast(isStatus)?.body;
  return typeof body === 'object' && body !== null ? Reflect.get(body, field) : undefined;
}

describe('REPORT_ADDR may have several addresses', () => {
  it('the next one is told when one fails, and the one that works is told from then on', async () => {
    const [autoscaler, model, dead] = [await Scribe.start(), await startModel(), await nobody()];
    const rig = await rigAround(autoscaler, model, backendFor(model), {
      REPORT_ADDR: `${dead.url},${autoscaler.url}`,
    });
    await autoscaler.until(() => autoscaler.statuses.length >= 3);
    expect(rig.log.about('address.changed')).toHaveLength(1);
    expect(rig.worker.view().reporter.failedRounds).toBe(0);
  });

  it('one that accepts and never answers costs one time-out, and not every cycle', async () => {
    const [hanging, autoscaler, model] = [await Scribe.start(), await Scribe.start(), await startModel()];
    hanging.misdeed = (message) => (message.path === '/pubkey/' ? undefined : 'hang');
    await rigAround(autoscaler, model, backendFor(model), {
      REPORT_ADDR: `${hanging.url},${autoscaler.url}`,
      TSWORKER_REPORT_TIMEOUT: '100ms',
    });
    await autoscaler.until(() => autoscaler.statuses.length >= 4);
    expect(hanging.bodiesAt('/worker_status/')).toHaveLength(1);
  });
});
