import { describe, expect, it } from 'vitest';
import { Serverless, ServerlessError, type ServerlessOptions } from '../../src/client/index.js';
import { failed, status } from '../autoscaler/bodies.js';
import { report } from '../autoscaler/harness.js';
import { failureOf, json, KEY, startClient, startPlace, startScripted } from './world.js';

describe('an endpoint', () => {
  it('is looked up by its name, and shows no key', async () => {
    const { endpoint, client } = await startPlace();
    expect([endpoint.id, endpoint.name]).toEqual([1, 'my-endpoint']);
    expect(endpoint.info).toMatchObject({
      id: 1,
      endpoint_name: 'my-endpoint',
      target_util: 0.9,
      max_workers: 16,
    });
    expect(await client.endpoints()).toEqual([endpoint.info]);
    expect(JSON.stringify([endpoint, endpoint.info, client])).not.toContain(KEY);
  });

  it('that there is not is told with those that there are', async () => {
    const { client, told } = await startPlace();
    const error = await failureOf(client.endpoint('my-endpiont'));
    expect(error.code).toBe('no_such_endpoint');
    expect(error.what).toBe('There is no endpoint "my-endpiont"; there are: "my-endpoint".');
    expect(told.slice(1)).toEqual([
      {
        name: 'ended',
        call: 2,
        endpoint: 'my-endpiont',
        path: '/api/v0/endptjobs/',
        outcome: 'failed',
        error: expect.objectContaining({ code: 'no_such_endpoint' }),
        worker: null,
        attempts: 0,
        durationMs: expect.any(Number),
      },
    ]);
  });

  it('has the workers that the autoscaler sees', async () => {
    const { autoscaler, endpoint } = await startPlace();
    expect(await endpoint.workers()).toEqual([]);
    await report(autoscaler, status(2));
    await report(autoscaler, failed(1));
    expect(await endpoint.workers()).toEqual([
      expect.objectContaining({ id: 1, status: 'Error' }),
      expect.objectContaining({ id: 2, status: 'Ready', cur_load: 768, perf: 1450.5, reqs_working: 2 }),
    ]);
  });

  it('is asked for with the key of the account, and used with its own', async () => {
    const web = await startScripted((_received, response) =>
      json(response, 200, { results: [{ id: 5, endpoint_name: 'e', api_key: 'its-own' }] }),
    );
    const autoscaler = await startScripted(({ url }, response) =>
      url === '/route/'
        ? json(response, 404, { error: 'not_found', message: 'Gone.' })
        : json(response, 200, { error_msg: 'It is not ready.' }),
    );
    const { client } = startClient(autoscaler.url, { webUrl: `${web.url}/` });
    const endpoint = await client.endpoint('e');
    const errors = [
      await failureOf(endpoint.request('/x', {}, { cost: 3 })),
      await failureOf(endpoint.workers()),
    ];
    expect(errors.map(({ code, what }) => [code, what])).toEqual([
      ['no_such_endpoint', 'The autoscaler answered 404 not_found: Gone.'],
      ['endpoint_not_ready', 'The autoscaler said: It is not ready.'],
    ]);
    const asked = ({ method, url, headers, body }: (typeof web.received)[number]) => {
      return { method, url, key: headers.authorization, body: body === '' ? null : JSON.parse(body) };
    };
    expect(web.received.map(asked)).toEqual([
      { method: 'GET', url: '/api/v0/endptjobs/?client_id=me', key: `Bearer ${KEY}`, body: null },
    ]);
    const api_key = 'its-own';
    expect(autoscaler.received.map(asked)).toEqual([
      {
        method: 'POST',
        url: '/route/',
        key: 'Bearer its-own',
        body: { endpoint: 'e', cost: 3, request_idx: 0, replay_timeout: 60, api_key },
      },
      { method: 'POST', url: '/get_endpoint_workers/', key: 'Bearer its-own', body: { id: 5, api_key } },
    ]);
  });
});

describe('a client', () => {
  const right: ServerlessOptions = { apiKey: 'k', autoscalerUrl: 'http://127.0.0.1:8080' };

  it.each<[field: string, options: Partial<ServerlessOptions>]>([
    ['apiKey', { apiKey: '' }],
    ['apiKey', { apiKey: '  ' }],
    ['autoscalerUrl', { autoscalerUrl: '127.0.0.1:8080' }],
    ['autoscalerUrl', { autoscalerUrl: 'http://user:s3cret@127.0.0.1' }],
    ['autoscalerUrl', { autoscalerUrl: 'http://127.0.0.1/?api_key=s3cret' }],
    ['webUrl', { webUrl: 'ftp://127.0.0.1' }],
    ['timeout', { timeout: 0 }],
    ['timeout', { timeout: Number.POSITIVE_INFINITY }],
    ['routeTimeout', { routeTimeout: Number.NaN }],
    ['backOff.base', { backOff: { base: -1 } }],
    ['backOff.cap', { backOff: { base: 10, cap: 5 } }],
    ['backOff.cap', { backOff: { cap: 60_000 } }],
  ])('refuses a wrong %s: %j', (field, options) => {
    const make = () => new Serverless({ ...right, ...options });
    expect(make).toThrow(ServerlessError);
    expect(make).toThrow(new RegExp(`^${field} (is missing|must be) ?`));
    expect(make).not.toThrow(/s3cret/);
  });

  it('refuses what a call can not be made of, before anything is sent', async () => {
    const { endpoint, autoscaler } = await startPlace();
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    const calls: [field: string, call: Promise<unknown>][] = [
      ['path', endpoint.request('v1/completions', {})],
      ['path', endpoint.request('//other.example/x', {})],
      ['path', endpoint.request('/x?a=1', {})],
      ['payload', endpoint.request('/x', undefined)],
      ['payload', endpoint.request('/x', loop)],
      ['payload', endpoint.request('/x', { n: 1n })],
      ['cost', endpoint.request('/x', {}, { cost: -1 })],
      ['cost', endpoint.request('/x', {}, { cost: Number.NaN })],
      ['timeout', endpoint.request('/x', {}, { timeout: -1 })],
      ['maxRetries', endpoint.request('/x', {}, { maxRetries: -1 })],
      ['idleTimeout', endpoint.stream('/x', {}, { idleTimeout: 0 }).next()],
    ];
    for (const [field, call] of calls) {
      const error = await failureOf(call);
      expect([error.code, error.what.split(' ')[0]]).toEqual(['invalid_option', field]);
    }
    expect(autoscaler.requests()).toEqual([]);
  });

  it('asks production where nothing else is said, and with the fetch that is given', async () => {
    const asked: string[] = [];
    const client = new Serverless({
      apiKey: 'k',
      fetch: async (input, init) => {
        asked.push(`${init?.method} ${String(input)}`);
        return Response.json({ results: [{ id: 1, endpoint_name: 'e' }] });
      },
    });
    await client.endpoint('e');
    expect(asked).toEqual(['GET https://console.vast.ai/api/v0/endptjobs/?client_id=me']);
  });
});
