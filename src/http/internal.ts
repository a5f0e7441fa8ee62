import type { Express } from 'express';
import { WorkerError } from '../errors.js';
import { bareApp, closeApp } from './app.js';

/** The app of the internal port: what the operator may see and clients may not. */
export function createInternalApp(status: () => unknown): Express {
  const app = bareApp();
  app.all('/status', (request, response) => {
    if (request.method !== 'GET') {
      throw new WorkerError('method_not_allowed', '/status takes GET only.', { headers: { Allow: 'GET' } });
    }
    response.json(status());
  });
  return closeApp(app, () => {});
}
