import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import type { CompiledRoute } from '../backend/index.js';
import { WorkerError } from '../errors.js';
import type { Cors } from '../net/cors.js';
import { answerError } from '../net/write.js';
import { toWorkerError } from './answer.js';
import type { Gate } from './gate.js';
import { addSessionRoutes, type SessionRoutesOptions } from './session-routes.js';
import { addUpdateRoute, type UpdateOptions } from './update-route.js';

export interface AppOptions {
  readonly routes: ReadonlyMap<string, CompiledRoute>;
  readonly cors: Cors;
  readonly gate: Gate;
  readonly exchange: (route: CompiledRoute, request: Request, response: Response) => Promise<void>;
  /** Null: this worker has no sessions. */
  readonly sessions: SessionRoutesOptions | null;
  readonly update: UpdateOptions;
  /** Hears every error that a client is told. */
  readonly onError: (error: WorkerError) => void;
}

/** The public app: the backend's routes, by exact path, and what the wire has beside them. */
export function createApp({ routes, cors, gate, exchange, sessions, update, onError }: AppOptions): Express {
  const app = bareApp();
  app.use((request, response, next) => {
    gate.greet(response);
    if (!cors(request, response)) next();
  });
  for (const route of routes.values()) {
    app.all(route.path, (request, response) => exchange(route, request, response));
  }
  if (sessions !== null) addSessionRoutes(app, sessions);
  addUpdateRoute(app, update);
  return closeApp(app, onError);
}

/** An express app without its conveniences: they cost time, and tell strangers what runs here. */
export function bareApp(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');
  return app;
}

/** Ends an app: unknown paths and errors are answered as JSON. */
export function closeApp(app: Express, onError: (error: WorkerError) => void): Express {
  app.use((request: Request) => {
    throw new WorkerError('not_found', `There is nothing at ${request.path}.`);
  });
  // Express knows an error handler by its four parameters.
  const handleError: ErrorRequestHandler = (thrown, _request, response, _next) => {
    const error = toWorkerError(thrown);
    if (!response.destroyed) onError(error);
    answerError(response, error);
  };
  app.use(handleError);
  return app;
}
