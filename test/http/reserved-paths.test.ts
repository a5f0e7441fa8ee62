import express from 'express';
import { expect, it, vi } from 'vitest';
import { defineBackend, RESERVED_PATHS } from '../../src/backend/index.js';
import { send } from '../support/client.js';
import { makeWorker, startWorker } from '../support/worker.js';

const backend = defineBackend({
  name: 'own',
  dialect: 'current',
  maxPerf: 1,
  routes: { '/own': { handle: () => 'own' } },
});
const env = { PUBLIC_IPADDR: '127.0.0.1' };

it('no path of the worker beside the routes of its backend is missing in the list of them', () => {
  const spy = vi.spyOn(express.application, 'all');
  try {
    makeWorker(backend, env);
    const calls = spy.mock.calls.map(([path], index) => ({
      path: String(path),
      app: spy.mock.contexts[index],
    }));
    const publicApp = calls.find(({ path }) => path === '/own')?.app;
    const paths = calls.filter(({ app }) => app === publicApp).map(({ path }) => path);
    expect(paths.toSorted()).toEqual(['/own', ...RESERVED_PATHS].toSorted());
  } finally {
    spy.mockRestore();
  }
});

it.each(RESERVED_PATHS)('%s is answered by the worker', async (path) => {
  const { port } = await startWorker(backend, env);
  expect((await send(port, path)).status).toBe(405);
});
