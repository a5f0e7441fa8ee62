import type { IncomingMessage } from 'node:http';
import type { Express, RequestHandler } from 'express';
import { sameSecret } from '../auth/equal.js';
import { type ErrorCode, WorkerError } from '../errors.js';
import { allowOnly, READING } from './allow-only.js';

/** What the operator may look at, and what those who look on the worker's behalf are told. */
export interface OperatorPages {
  status(): unknown;
  readiness(): { readonly ready: boolean };
  load(): unknown;
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
  /** A client was told an error. */
  told(code: ErrorCode): void;
}

/** The pages of the operator, each of which is read and changes nothing. */
const PAGES = ['/status', '/livez', '/readyz', '/metrics', '/autoscale/load'] as const;

export function addOperatorRoutes(app: Express, pages: OperatorPages): void {
  for (const page of PAGES) {
    app.all(page, (request, _response, next) => {
      allowOnly(READING, page, request);
      next();
    });
  }
  app.get('/status', (_request, response) => void response.json(pages.status()));
  app.get('/livez', (_request, response) => void response.json({ alive: true }));
  app.get('/readyz', (_request, response) => {
    const readiness = pages.readiness();
    response.status(readiness.ready ? 200 : 503).json(readiness);
  });
  app.get('/metrics', async (_request, response) => {
    const { type, text } = await pages.metrics();
    response.type(type).send(text);
  });
  app.get('/autoscale/load', (_request, response) => void response.json(pages.load()));
}

/**
 * Lets nobody in without the token. Those on this machine need none for what has a secret of its own: the programs
 * beside the model server know the master token or the session, and no way to send another.
 */
export function guard(token: string): RequestHandler {
  return (request, _response, next) => {
    const isOwnBusiness = isFromHere(request) && !isPage(request.path);
    if (!isOwnBusiness && !isEmptyPage(request.path) && !sameSecret(bearerOf(request), token)) {
      throw new WorkerError('unauthorized', 'The internal pages are shown to those who send the token.', {
        headers: { 'WWW-Authenticate': 'Bearer' },
      });
    }
    next();
  };
}

function isPage(path: string): boolean {
  return PAGES.some((page) => page === path) || path.startsWith('/inspect/');
}

/** The page of the inspector holds nothing before it is given the token, and a browser can't send one to get it. */
function isEmptyPage(path: string): boolean {
  return path === '/' || path.startsWith('/assets/');
}

function bearerOf({ headers }: IncomingMessage): string {
  return /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

function isFromHere({ socket }: IncomingMessage): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(socket.remoteAddress ?? '');
}
