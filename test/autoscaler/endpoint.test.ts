import { describe, expect, it } from 'vitest';
import { failed, loading, status, update } from './bodies.js';
import { handClock, postJson, report, send, startAutoscaler } from './harness.js';

const KEY = 'k3y-of-the-endpoint';
const headers = { authorization: `Bearer ${KEY}` };

describe('POST /get_endpoint_workers/', () => {
  it('tells the workers in the words of production', async () => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ apiKey: KEY, now: clock.now });
    await report(autoscaler, loading(3));
    clock.advance(30_000);
    await report(autoscaler, loading(4));
    await report(autoscaler, failed(2));
    await report(autoscaler, status(1));
    clock.advance(2_000);
    const answer = await postJson(`${autoscaler.url}/get_endpoint_workers/`, { id: 1, api_key: KEY });
    const [first] = autoscaler.workers();
    const nothing = {
      cur_load: 0,
      new_load: 0,
      cur_load_rolling_avg: 0,
      cur_perf: 0,
      perf: 0,
      measured_perf: 0,
      dlperf: 0,
      reliability: 0,
      reqs_working: 0,
      disk_usage: 0,
      loaded_at: null,
      started_at: expect.any(Number),
    };
    expect([answer.status, answer.body]).toEqual([
      200,
      [
        {
          ...nothing,
          id: 1,
          status: 'Ready',
          cur_load: 768,
          cur_load_rolling_avg: 768,
          new_load: 512,
          cur_perf: 256,
          perf: 1450.5,
          measured_perf: 1450.5,
          reqs_working: 2,
          loaded_at: Date.parse(first?.lastLoaded?.at ?? '') / 1_000,
          started_at: Date.parse(first?.firstSeenAt ?? '') / 1_000,
        },
        { ...nothing, id: 2, status: 'Error' },
        { ...nothing, id: 3, status: 'Error', disk_usage: 41.5 },
        { ...nothing, id: 4, status: 'Model Loading', disk_usage: 41.5 },
      ],
    ]);
  });

  it('tells the average of the load over time, of which the last minute counts most', async () => {
    const clock = handClock();
    const autoscaler = await startAutoscaler({ apiKey: KEY, now: clock.now });
    const averages: number[] = [];
    const look = async () => {
      const { body } = await postJson(`${autoscaler.url}/get_endpoint_workers/`, { id: 1, api_key: KEY });
      averages.push((body as [{ cur_load_rolling_avg: number }])[0].cur_load_rolling_avg);
    };
    await report(autoscaler, status(1, { cur_load: 100 }));
    clock.advance(60_000);
    await look();
    await report(autoscaler, status(1, { cur_load: 0 }));
    await look();
    clock.advance(60_000);
    await look();
    await report(autoscaler, status(1, { cur_load: 100 }));
    clock.advance(600_000);
    await look();
    expect(averages).toEqual([100, 100, expect.closeTo(100 / Math.E), expect.closeTo(100, 1)]);
  });

  it('tells what a legacy worker tells, and no more', async () => {
    const autoscaler = await startAutoscaler({ apiKey: KEY });
    await report(autoscaler, update(1, 2.5, 4));
    const { body } = await postJson(`${autoscaler.url}/get_endpoint_workers/`, { id: 1, api_key: KEY });
    expect(body).toEqual([expect.objectContaining({ id: 1, cur_load: 2.5, perf: 0, reqs_working: 0 })]);
  });

  it('has no workers to tell of an endpoint that is not there', async () => {
    const autoscaler = await startAutoscaler({ apiKey: KEY });
    const answer = await postJson(`${autoscaler.url}/get_endpoint_workers/`, { id: 2, api_key: KEY });
    expect([answer.status, answer.body]).toEqual([
      200,
      { error_msg: 'There is no such endpoint: the one endpoint here has the id 1.' },
    ]);
  });

  it('names a wrong field', async () => {
    const autoscaler = await startAutoscaler({ apiKey: KEY });
    const answer = await postJson(`${autoscaler.url}/get_endpoint_workers/`, { id: 'one', api_key: KEY });
    expect([answer.status, answer.body]).toEqual([
      400,
      { error: 'invalid_request', message: expect.stringMatching(/^id: /) },
    ]);
  });
});

describe('GET /api/v0/endptjobs/', () => {
  const endpoint = {
    id: 1,
    user_id: 1,
    created_at: expect.any(Number),
    endpoint_name: 'llama',
    api_key: KEY,
    endpoint_state: 'active',
    min_load: 1,
    target_util: 0.9,
    cold_mult: 3,
    min_cold_load: 0,
    cold_workers: null,
    min_workers: 5,
    max_workers: 16,
    inactivity_timeout: null,
    max_queue_time: null,
    target_queue_time: null,
  };

  it.each([
    ['/api/v0/endptjobs/?client_id=me', { results: [endpoint] }],
    ['/api/v0/endptjobs', { results: [endpoint] }],
    ['/api/v0/endptjobs/1/', { result: endpoint }],
    ['/api/v0/endptjobs/1', { result: endpoint }],
  ])('%s tells the one endpoint', async (path, body) => {
    const autoscaler = await startAutoscaler({ apiKey: KEY, endpoint: 'llama' });
    const answer = await send(autoscaler.url + path, { headers });
    expect([answer.status, answer.body]).toEqual([200, body]);
  });

  it.each(['2', 'x', '01'])('an endpoint %s is not there', async (id) => {
    const autoscaler = await startAutoscaler({ apiKey: KEY });
    const answer = await send(`${autoscaler.url}/api/v0/endptjobs/${id}/`, { headers });
    expect([answer.status, answer.body]).toEqual([
      404,
      { error: 'not_found', message: 'There is no such endpoint: the one endpoint here is 1.' },
    ]);
  });
});
