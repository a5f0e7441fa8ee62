import type { Server } from 'node:http';
import express, { type ErrorRequestHandler } from 'express';
import { asWorkerError, WorkerError } from '../errors.js';
import { createHttpServer } from '../net/server.js';
import { answerError } from '../net/write.js';
import { recordedSource } from './recorded.js';
import type { Recording } from './recording.js';
import { inspectorRoutes } from './routes.js';

const TIMEOUT_MS = 10_000;

/** Shows a recording on the page of a worker. */
export function replayServer(recording: Recording): Server {
  const app = express().disable('x-powered-by').disable('etag');
  app.use(inspectorRoutes(recordedSource(recording)));
  app.use(({ path }) => {
    throw new WorkerError('not_found', `There is nothing at ${path}.`);
  });
  // Express knows an error handler by its four parameters.
  const handleError: ErrorRequestHandler = (thrown, _request, response, _next) => {
    answerError(response, asWorkerError(thrown) ?? new WorkerError('backend_error'));
  };
  app.use(handleError);
  return createHttpServer({
    listener: app,
    headersTimeoutMs: TIMEOUT_MS,
    requestTimeoutMs: TIMEOUT_MS,
    onRefused: () => {},
  });
}
