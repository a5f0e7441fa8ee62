import { describe, expect, it } from 'vitest';
import { LocalAutoscaler } from '../../src/autoscaler/index.js';
import { status } from './bodies.js';
import { ask, postJson, report, send, startAutoscaler } from './harness.js';

const KEY = 'k3y-of-the-endpoint';
const WRONG_KEY = {
  error: 'unauthorized',
  message:
    'The API key is missing or wrong. Send it as "Authorization: Bearer", as ?api_key= or as api_key in the body.',
};

describe('the API key', () => {
  it('is made at random where nobody gives one', () => {
    const keys = [new LocalAutoscaler().apiKey, new LocalAutoscaler().apiKey];
    expect(keys).toEqual([expect.stringMatching(/^[\da-f]{48}$/), expect.stringMatching(/^[\da-f]{48}$/)]);
    expect(keys[0]).not.toBe(keys[1]);
    expect(new LocalAutoscaler({ apiKey: KEY }).apiKey).toBe(KEY);
  });

  it('may have spaces in it', async () => {
    const autoscaler = await startAutoscaler({ apiKey: 'my own key' });
    const headers = { authorization: 'Bearer my own key' };
    expect((await send(`${autoscaler.url}/api/v0/endptjobs/`, { headers })).status).toBe(200);
  });

  it('is never empty', () => {
    expect(() => new LocalAutoscaler({ apiKey: '' })).toThrow(new RangeError('apiKey must not be empty.'));
  });

  const body = { endpoint: 'my-endpoint', cost: 1 };
  it.each<[string, string, Record<string, unknown>, Record<string, string>]>([
    ['as a bearer', '', body, { authorization: `Bearer ${KEY}` }],
    ['as a bearer, whatever its case', '', body, { authorization: `bearer ${KEY}` }],
    ['in the query', `?api_key=${KEY}`, body, {}],
    ['in the body', '', { ...body, api_key: KEY }, {}],
    [
      'in one place of three',
      '?api_key=other',
      { ...body, api_key: 'other' },
      { authorization: `Bearer ${KEY}` },
    ],
  ])('is taken %s', async (_name, query, given, headers) => {
    const autoscaler = await startAutoscaler({ apiKey: KEY });
    expect((await postJson(`${autoscaler.url}/route/${query}`, given, { headers })).status).toBe(200);
  });

  it.each<[string, string, unknown, Record<string, string>]>([
    ['nowhere', '', body, {}],
    ['another', `?api_key=${KEY}x`, { ...body, api_key: KEY.slice(1) }, { authorization: 'Bearer other' }],
    ['empty', '?api_key=', { ...body, api_key: '' }, { authorization: 'Bearer ' }],
    ['of another type', '?api_key[]=a&api_key[]=b', { ...body, api_key: [KEY] }, {}],
    ['twice in the query', `?api_key=${KEY}&api_key=${KEY}`, body, {}],
    ['in another scheme', '', body, { authorization: `Basic ${KEY}` }],
    ['in a body that is no object', '', [KEY], {}],
    ['with wrong fields, which are not looked at', '', { cost: -1 }, {}],
  ])('a request with the key %s is 401 and changes nothing', async (_name, query, given, headers) => {
    const autoscaler = await startAutoscaler({ apiKey: KEY });
    await report(autoscaler, status(1, { url: 'http://127.0.0.1:3000' }));
    const before = await send(`${autoscaler.url}/api/workers`);
    for (const path of ['/route/', '/get_endpoint_workers/']) {
      const answer = await postJson(autoscaler.url + path + query, given, { headers });
      expect([answer.status, answer.body]).toEqual([401, WRONG_KEY]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    for (const path of ['/api/v0/endptjobs/', '/api/v0/endptjobs/1/']) {
      const answer = await send(autoscaler.url + path + query, { headers });
      expect([answer.status, answer.body]).toEqual([401, WRONG_KEY]);
    }
    expect(autoscaler.requests()).toEqual([]);
    const after = await send(`${autoscaler.url}/api/workers`);
    expect(Object(after.body).endpoint).toEqual(Object(before.body).endpoint);
    expect(await autoscaler.route(1)).toMatchObject({ reqnum: 1, request_idx: 1 });
  });

  it('is not told by anything that asks for none, whatever a client or a worker does with it', async () => {
    const autoscaler = await startAutoscaler({ apiKey: KEY });
    await report(
      autoscaler,
      status(1, { error_msg: `GET /x?api_key=${KEY} with Bearer ${KEY}`, api_key: KEY }),
    );
    await ask(autoscaler, {}, { headers: { authorization: `Bearer ${KEY}` } });
    await ask(autoscaler, { endpoint: KEY });
    await ask(autoscaler, { cost: KEY });
    const paths = ['/', '/api/workers', '/api/messages', '/api/requests', '/page.js', '/endpoint.js'];
    const told = await Promise.all(paths.map(async (path) => (await send(autoscaler.url + path)).body));
    expect(JSON.stringify(told)).not.toContain(KEY);
    expect(
      JSON.stringify([autoscaler.messages(), autoscaler.workers(), autoscaler.requests()]),
    ).not.toContain(KEY);
  });

  it('an error does not repeat it', async () => {
    const autoscaler = await startAutoscaler({ apiKey: KEY });
    const headers = { authorization: `Bearer ${KEY}` };
    const answers = [
      await ask(autoscaler, { endpoint: KEY }),
      await ask(autoscaler, { cost: KEY }),
      await ask(autoscaler, { [KEY]: KEY, request_idx: KEY }),
      await ask(autoscaler, {}, { body: `{"api_key": "${KEY}"` }),
      await send(`${autoscaler.url}/api/v0/endptjobs/${KEY}/?api_key=${KEY}`, { headers }),
      await postJson(`${autoscaler.url}/get_endpoint_workers/?api_key=${KEY}`, { id: KEY }),
    ];
    expect(answers.map((answer) => answer.status)).toEqual([404, 400, 400, 400, 404, 400]);
    expect(JSON.stringify(answers.map((answer) => answer.body))).not.toContain(KEY);
  });
});
