import type { Express } from 'express';
import { allowOnly } from './allow-only.js';
import { bareApp, closeApp } from './app.js';
import { addSessionEnd, type SessionRoutesOptions } from './session-routes.js';
import { addWatcherRoutes, type WatcherOptions } from './watcher-routes.js';

export interface InternalOptions {
  readonly status: () => unknown;
  /** Null: this worker has no sessions. */
  readonly sessions: Pick<SessionRoutesOptions, 'sessions' | 'bodyLimitBytes'> | null;
  /** Null: nobody watches the model from outside. */
  readonly watcher: WatcherOptions | null;
  readonly bodyLimitBytes: number;
}

/** The app of the internal port: what the operator and the model server may do and clients may not. */
export function createInternalApp({ status, sessions, watcher, bodyLimitBytes }: InternalOptions): Express {
  const app = bareApp();
  app.all('/status', (request, response) => {
    allowOnly('GET', '/status', request);
    response.json(status());
  });
  if (sessions !== null) addSessionEnd(app, sessions);
  if (watcher !== null) addWatcherRoutes(app, watcher, bodyLimitBytes);
  return closeApp(app, () => {});
}
