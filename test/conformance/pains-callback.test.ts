import { describe, expect, it, vi } from 'vitest';
import { defineBackend } from '../../src/backend/index.js';
import { post } from '../support/client.js';
import { rigAround, startModel, startRig } from './rig.js';
import { Scribe } from './scribe.js';

describe('on_close_route can name a path on the model server alone', () => {
  it.each([
    'http://evil.test/close',
    'HTTP:evil.test/close',
    ' http://evil.test/close',
    '//evil.test/close',
    '///evil.test/close',
    '/\\evil.test/close',
    '\\\\evil.test\\close',
    '/\t/evil.test/close',
    '@evil.test/close',
    '/close HTTP/1.1\r\nHost: evil.test\r\n\r\n',
    '/close\n',
    '',
  ])('%j is refused, and no session is held', async (route) => {
    const rig = await startRig();
    const body = { auth_data: rig.authFor(), payload: { on_close_route: route } };
    expect(await post(rig.port, '/session/create', body)).toMatchObject({
      status: 422,
      body: { 'payload.on_close_route': 'must be a path on the model server, such as "/close"' },
    });
    expect(rig.worker.view().sessions).toBe(0);
    expect(rig.requests).toEqual([]);
  });

  it('is refused where there is no model server, and no session is held', async () => {
    const routes = { '/own': { handle: () => 'own' } };
    const backend = defineBackend({ name: 'own', dialect: 'current', maxPerf: 1, routes });
    const rig = await rigAround(await Scribe.start(), await startModel(), backend);
    const create = (payload: object) =>
      post(rig.port, '/session/create', { auth_data: rig.authFor(), payload });
    expect(await create({ on_close_route: '/close' })).toMatchObject({
      status: 422,
      body: { 'payload.on_close_route': 'there is no model server behind this worker that could be called' },
    });
    expect(rig.worker.view().sessions).toBe(0);
    expect(rig.requests).toEqual([]);
    expect(await create({ on_close_route: null })).toMatchObject({ status: 201 });
  });

  it('is called there, and nowhere else', async () => {
    const rig = await startRig();
    const { id, auth } = await rig.hold({ on_close_route: '/..//evil.test/close' });
    await post(rig.port, '/session/end', { session_id: id, session_auth: auth });
    await vi.waitFor(() => expect(rig.model.requests).toHaveLength(1));
    expect(rig.model.requests[0]).toMatchObject({ method: 'POST', path: '/..//evil.test/close' });
  });
});
