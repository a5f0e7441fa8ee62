import { isIP } from 'node:net';
import express, { type Request, type Response, type Router } from 'express';
import { WorkerError } from '../errors.js';
import { layoutOf } from '../graph/layouts.js';
import { machines } from '../graph/machines.js';
import { statechartOf } from '../graph/statechart.js';
import type { Charts } from './contract.js';
import { Moments } from './moments.js';
import { type PageFile, readPage } from './page-files.js';
import { sendPacked } from './send-packed.js';
import type { Source } from './source.js';
import { STREAM_HEAD, Stream } from './stream.js';

export interface InspectorRoutesOptions {
  /** Where the page is built to. */
  readonly folder?: string;
  /** Whether nobody gets here without a token. */
  readonly isGuarded?: boolean;
}

/** Nothing but its own files, and no script or style within the page. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const NOT_BUILT = `The page is not built. Build it with "npm run build" in the folder of tsworker, and load this again.
What it shows is at /inspect/now, /inspect/recording and /inspect/events.
`;

/** How many may look at once. */
const MOST_READERS = 32;

const NAMES = ['now', 'samples', 'recording', 'charts', 'events'] as const;

/** The page, and what it shows. */
export function inspectorRoutes(
  source: Source,
  { folder, isGuarded = false }: InspectorRoutesOptions = {},
): Router {
  const router = express.Router({ caseSensitive: true, strict: true });
  const moments = new Moments(source);
  let readers = 0;
  let page: ReadonlyMap<string, PageFile> | null = null;
  let charts: Charts | undefined;

  router.use((request, response, next) => {
    if (!isOurs(request.path)) return next('router');
    protect(response);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new WorkerError('method_not_allowed', 'This path takes GET and HEAD only.', ALLOW);
    if (!isGuarded && !isOpenPath(request.path)) expectOwnAddress(request);
    next();
  });
  router.get(['/', /^\/assets\//], (request, response, next) => {
    page ??= readPage(folder);
    const file = page?.get(request.path);
    if (file !== undefined) return sendFile(request, response, file);
    if (page === null && request.path === '/') response.status(503).type('text/plain').send(NOT_BUILT);
    else next();
  });
  router.get('/inspect/now', (_request, response) => void response.json(source.now()));
  router.get('/inspect/samples', (request, response) => {
    return sendPacked(request, response.type('json'), JSON.stringify(source.samples()));
  });
  router.get('/inspect/charts', (request, response) => {
    charts ??= allCharts();
    return sendPacked(request, response.type('json'), JSON.stringify(charts));
  });
  router.get('/inspect/recording', (request, response) => {
    const happenings = source.after(0).map(({ text }) => text);
    const text = `{"header":${JSON.stringify(source.header())},"happened":${source.happened},"happenings":[${happenings.join()}]}`;
    return sendPacked(request, response.type('json'), text);
  });
  router.get('/inspect/events', (request, response) => {
    if (readers >= MOST_READERS) {
      throw new WorkerError('not_accepting', `${readers} look already.`);
    }
    if (request.method === 'HEAD') {
      response.writeHead(200, STREAM_HEAD).end();
      return;
    }
    readers += 1;
    response.on('close', () => {
      readers -= 1;
    });
    const query = queryOf(request);
    const after = request.get('Last-Event-ID') ?? query.get('after') ?? '';
    new Stream({
      source,
      moments,
      response,
      after: /^\d+$/.test(after) ? Number(after) : undefined,
      wantsRequests: query.get('requests') !== 'false',
    });
  });
  return router;
}

const ALLOW = { headers: { Allow: 'GET, HEAD' } };

/** Whether a path is one of the inspector's that exist, or of its files. */
function isOurs(path: string): boolean {
  return isOpenPath(path) || NAMES.some((name) => path === `/inspect/${name}`);
}

/** What holds nothing of the worker: the page before it has asked for anything. */
function isOpenPath(path: string): boolean {
  return path === '/' || path.startsWith('/assets/');
}

/**
 * Where nothing but loopback guards what is shown, another site's page must not get at it by giving its own name this
 * address: it would be asked for by that name.
 *
 * @throws {WorkerError} `unauthorized`
 */
function expectOwnAddress(request: Request): void {
  const name = (request.get('Host') ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  if (name === '' || isIP(name) !== 0 || /(^|\.)localhost$/i.test(name)) return;
  throw new WorkerError(
    'unauthorized',
    'Without a token this is shown at the address itself or at localhost, and under no other name: set TSWORKER_INTERNAL_TOKEN.',
  );
}

function protect(response: Response): void {
  response.set({
    'Content-Security-Policy': POLICY,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  });
}

function sendFile(request: Request, response: Response, { type, bytes }: PageFile): Promise<void> {
  // The names of assets tell what is in them.
  if (request.path !== '/') response.set('Cache-Control', 'public, max-age=31536000, immutable');
  return sendPacked(request, response.type(type), bytes);
}

function allCharts(): Charts {
  return Object.fromEntries(
    Object.entries(machines).map(([name, machine]) => [
      name,
      { chart: statechartOf(machine, name), layout: layoutOf(name) },
    ]),
  );
}

function queryOf(request: Request): URLSearchParams {
  const start = request.url.indexOf('?');
  return new URLSearchParams(start < 0 ? '' : request.url.slice(start));
}
