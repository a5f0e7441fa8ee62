import type { Express, RequestHandler } from 'express';
import { bareApp, closeApp } from './app.js';
import type { Bodies } from './bodies.js';
import { addOperatorRoutes, guard, type OperatorPages } from './operator-routes.js';
import { addSessionEnd, type SessionRoutesOptions } from './session-routes.js';
import { addUpdateWithdrawal, type UpdateOptions } from './update-route.js';
import { addWatcherRoutes, type WatcherOptions } from './watcher-routes.js';

export interface InternalOptions {
  readonly pages: OperatorPages;
  /** The pages that show the worker at work. */
  readonly inspector: RequestHandler;
  /** What is asked of whoever comes; empty: nothing is. */
  readonly token: string;
  readonly update: UpdateOptions;
  /** Null: this worker has no sessions. */
  readonly sessions: Pick<SessionRoutesOptions, 'sessions'> | null;
  /** Null: nobody watches the model from outside. */
  readonly watcher: WatcherOptions | null;
  readonly bodies: Bodies;
}

/** The app of the internal port: what the operator and the model server may do and clients may not. */
export function createInternalApp(options: InternalOptions): Express {
  const { pages, inspector, token, update, sessions, watcher, bodies } = options;
  const app = bareApp();
  if (token !== '') app.use(guard(token));
  addOperatorRoutes(app, pages);
  app.use(inspector);
  addUpdateWithdrawal(app, update);
  if (sessions !== null) addSessionEnd(app, { ...sessions, bodies });
  if (watcher !== null) addWatcherRoutes(app, watcher, bodies);
  return closeApp(app, () => {});
}
