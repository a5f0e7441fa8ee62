import { describe, expect, it } from 'vitest';
import { status } from '../autoscaler/bodies.js';
import { ask, type Answer as Got, report, send as sendTo, startAutoscaler } from '../autoscaler/harness.js';
import { startRig } from '../conformance/rig.js';
import { type Answer, send } from '../support/client.js';

const PAGE = 'https://page.example';
const OTHER = 'https://other.example';

const PREFLIGHT = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type,x-stainless-os',
};

/** What an answer says to browsers. */
function said({ status: code, headers }: Answer | Got) {
  const entries = headers instanceof Headers ? [...headers] : Object.entries(headers);
  const named = entries.filter(([name]) => name === 'vary' || name.startsWith('access-control-'));
  return { status: code, ...Object.fromEntries(named) };
}

const ALLOWED = {
  vary: 'Origin',
  'access-control-allow-origin': PAGE,
  'access-control-expose-headers': 'Retry-After',
};

const PREFLIGHT_ALLOWED = {
  status: 204,
  ...ALLOWED,
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'authorization,content-type,x-stainless-os',
  'access-control-max-age': '600',
};

describe('a page of another origin', () => {
  it('may ask a worker that names it: answers, streams, errors and preflights', async () => {
    const {
      port,
      ask: askWorker,
      model,
    } = await startRig({
      env: { TSWORKER_CORS_ORIGINS: `https://a.example,${PAGE}` },
    });
    const headers = { origin: PAGE };
    const completion = '/v1/completions';
    const preflight = await send(port, completion, {
      method: 'OPTIONS',
      headers: { ...headers, ...PREFLIGHT },
    });
    expect(said(preflight)).toEqual(PREFLIGHT_ALLOWED);
    expect(preflight.body).toBe('');
    expect(said(await askWorker(completion, {}, { headers }))).toEqual({ status: 200, ...ALLOWED });
    const stream = await askWorker(completion, { stream: true }, { headers });
    expect(said(stream)).toEqual({ status: 200, ...ALLOWED });
    const unsigned = await send(port, completion, { method: 'POST', headers, body: '{' });
    expect(said(unsigned)).toEqual({ status: unsigned.status, ...ALLOWED });
    expect(unsigned.status).toBeGreaterThan(399);
    expect(said(await send(port, '/nothing', { headers }))).toEqual({ status: 404, ...ALLOWED });
    expect(model.requests).toHaveLength(2);
  });

  it('may not where another is named, and a request without an origin is none of its business', async () => {
    const { port, ask: askWorker } = await startRig({ env: { TSWORKER_CORS_ORIGINS: PAGE } });
    const headers = { origin: OTHER };
    const preflight = await send(port, '/v1/completions', {
      method: 'OPTIONS',
      headers: { ...headers, ...PREFLIGHT },
    });
    expect(said(preflight)).toEqual({ status: 405, vary: 'Origin' });
    expect(said(await askWorker('/v1/completions', {}, { headers }))).toEqual({
      status: 200,
      vary: 'Origin',
    });
    expect(said(await askWorker('/v1/completions', {}))).toEqual({ status: 200, vary: 'Origin' });
    // No preflight: a page that asks what there is.
    const options = await send(port, '/v1/completions', { method: 'OPTIONS', headers: { origin: PAGE } });
    expect(said(options)).toEqual({ status: 405, ...ALLOWED });
  });

  it('may not while the setting is off: nothing is said to it', async () => {
    const { port, ask: askWorker } = await startRig();
    const headers = { origin: PAGE, ...PREFLIGHT };
    const preflight = await send(port, '/v1/completions', { method: 'OPTIONS', headers });
    expect(said(preflight)).toEqual({ status: 405 });
    expect(said(await askWorker('/v1/completions', {}, { headers }))).toEqual({ status: 200 });
  });

  it('may ask the local autoscaler what clients ask, and nothing else', async () => {
    const autoscaler = await startAutoscaler({ corsOrigins: [PAGE] });
    await report(autoscaler, status(1));
    const { url, apiKey } = autoscaler;
    const headers = { origin: PAGE };
    for (const path of ['/route/', '/get_endpoint_workers/', '/api/v0/endptjobs/', '/api/v0/endptjobs/1/']) {
      const asked = { method: 'OPTIONS', headers: { ...headers, ...PREFLIGHT } };
      expect([path, said(await sendTo(url + path, asked))]).toEqual([path, PREFLIGHT_ALLOWED]);
    }
    expect(said(await ask(autoscaler, {}, { headers }))).toEqual({ status: 200, ...ALLOWED });
    expect(said(await ask(autoscaler, { api_key: 'another' }, { headers }))).toEqual({
      status: 401,
      ...ALLOWED,
    });
    const endpoints = { headers: { ...headers, authorization: `Bearer ${apiKey}` } };
    const found = await sendTo(`${url}/api/v0/endptjobs/?client_id=me`, endpoints);
    expect(said(found)).toEqual({ status: 200, ...ALLOWED });
    for (const path of ['/', '/api/workers', '/api/messages', '/pubkey/']) {
      expect([path, said(await sendTo(url + path, { headers }))]).toEqual([path, { status: 200 }]);
    }
  });

  it('may ask any local autoscaler that allows all, and none that allows nobody', async () => {
    const open = await startAutoscaler({ corsOrigins: ['*'] });
    await report(open, status(1));
    const headers = { origin: OTHER };
    expect(said(await ask(open, {}, { headers }))).toEqual({
      status: 200,
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'Retry-After',
    });
    const closed = await startAutoscaler();
    expect(said(await ask(closed, {}, { headers }))).toEqual({ status: 200 });
    const asked = { method: 'OPTIONS', headers: { ...headers, ...PREFLIGHT } };
    expect(said(await sendTo(`${closed.url}/route/`, asked))).toEqual({ status: 405 });
  });
});
