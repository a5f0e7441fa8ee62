import type { Express } from 'express';
import { bareApp, closeApp } from './app.js';
import { addOperatorRoutes, guard, type OperatorPages } from './operator-routes.js';
import { addSessionEnd, type SessionRoutesOptions } from './session-routes.js';
import { addWatcherRoutes, type WatcherOptions } from './watcher-routes.js';

export interface InternalOptions {
  readonly pages: OperatorPages;
  /** What is asked of whoever comes; empty: nothing is. */
  readonly token: string;
  /** Null: this worker has no sessions. */
  readonly sessions: Pick<SessionRoutesOptions, 'sessions' | 'bodyLimitBytes'> | null;
  /** Null: nobody watches the model from outside. */
  readonly watcher: WatcherOptions | null;
  readonly bodyLimitBytes: number;
}

/** The app of the internal port: what the operator and the model server may do and clients may not. */
export function createInternalApp(options: InternalOptions): Express {
  const { pages, token, sessions, watcher, bodyLimitBytes } = options;
  const app = bareApp();
  if (token !== '') app.use(guard(token));
  addOperatorRoutes(app, pages);
  if (sessions !== null) addSessionEnd(app, sessions);
  if (watcher !== null) addWatcherRoutes(app, watcher, bodyLimitBytes);
  return closeApp(app, () => {});
}
