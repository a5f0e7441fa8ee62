import express, { type Express, type RequestHandler } from 'express';
import { WorkerError } from '../errors.js';
import { allowOnly, answerError, answerNotFound } from './answer-errors.js';
import { answerReport } from './answer-report.js';
import type { FaultFunction } from './faults.js';
import type { Intake } from './intake.js';
import { parseLimit } from './limit.js';
import { pageRoutes } from './page-routes.js';
import { securityHeaders } from './security-headers.js';
import type { WorkersView } from './view.js';

const MAX_BODY_BYTES = 1024 * 1024;

export interface AppParts {
  readonly intake: Intake;
  readonly fault: FaultFunction | undefined;
  readonly publicKeyPem: () => Promise<string>;
  readonly workers: () => WorkersView;
}

/** The routes of the local autoscaler. Express takes each of them with and without a trailing slash. */
export function createApp(parts: AppParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(securityHeaders);

  app
    .route('/worker_status')
    .post(requireJson, express.json({ limit: MAX_BODY_BYTES, strict: false }), takeReport(parts))
    .all(allowOnly('POST'));
  app
    .route('/pubkey')
    .get(async (_req, res) => res.type('text/plain').send(await parts.publicKeyPem()))
    .all(allowOnly('GET', 'HEAD'));
  app
    .route('/api/workers')
    .get((_req, res) => res.json(parts.workers()))
    .all(allowOnly('GET', 'HEAD'));
  app
    .route('/api/messages')
    .get((req, res) => res.json({ messages: parts.intake.messages.latest(parseLimit(req.query.limit)) }))
    .all(allowOnly('GET', 'HEAD'));
  app.use(pageRoutes());

  app.use(answerNotFound);
  app.use(answerError);
  return app;
}

/** A browser sends JSON across sites only after asking, so no other page can make up reports here. */
const requireJson: RequestHandler = (req, _res, next) => {
  const matched = req.is('application/json');
  if (matched === null || req.headers['content-length'] === '0')
    throw new WorkerError('invalid_json', 'The body is empty.');
  if (matched === false)
    throw new WorkerError('unsupported_media_type', 'Only application/json is taken here.');
  next();
};

function takeReport({ intake, fault }: AppParts): RequestHandler {
  return (req, res) => {
    const receipt = intake.receive(req.body);
    if (!receipt.ok) {
      const { field, problem } = receipt.refused;
      throw new WorkerError('invalid_request', `${field}: ${problem}`);
    }
    answerReport(res, receipt.books, fault?.(receipt.report));
  };
}
