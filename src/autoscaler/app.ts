import express, { type Express, type RequestHandler } from 'express';
import { WorkerError } from '../errors.js';
import { allowOnly, answerError, answerNotFound } from './answer-errors.js';
import { ReportAnswers } from './answer-report.js';
import { type ClientParts, clientRoutes } from './client-routes.js';
import type { FaultFunction } from './faults.js';
import type { Intake, Receipt } from './intake.js';
import { parseAfter, parseLimit } from './limit.js';
import { type OpenaiParts, openaiRoutes } from './openai/routes.js';
import { pageRoutes } from './page-routes.js';
import type { RequestView } from './requests-view.js';
import { requireJson } from './require-json.js';
import type { ScalingSample } from './scaling-history.js';
import type { DecisionsView } from './scaling-view.js';
import { securityHeaders } from './security-headers.js';
import type { WorkersView } from './view.js';

const MAX_STATUS_BYTES = 1024 * 1024;

/** Tens of thousands of requests, as a worker tells them after an outage. */
const MAX_COMPLETIONS_BYTES = 8 * 1024 * 1024;

export interface AppParts {
  readonly intake: Intake;
  readonly fault: FaultFunction | undefined;
  readonly publicKeyPem: () => Promise<string>;
  readonly workers: () => WorkersView;
  /** The last ones, latest first. */
  readonly requests: (limit: number) => readonly RequestView[];
  /** The last decisions, latest first, and how the fleet is scaled. */
  readonly decisions: (limit: number) => DecisionsView;
  /** What the looks at the fleet after this one saw. */
  readonly scalingAfter: (sequence: number) => readonly ScalingSample[];
  readonly client: ClientParts;
  readonly openai: OpenaiParts;
}

/** The routes of the local autoscaler. Express takes each of them with and without a trailing slash. */
export function createApp(parts: AppParts): Express {
  const { intake } = parts;
  const app = express();
  const takeReport = reportTaker(parts);
  app.disable('x-powered-by');
  app.disable('etag');
  // Before what the page's own answers have: these are those of a worker.
  app.use('/openai', openaiRoutes(parts.openai));
  app.use(securityHeaders);

  app
    .route('/worker_status')
    .post(
      requireJson,
      express.json({ limit: MAX_STATUS_BYTES, strict: false }),
      takeReport((body) => intake.receiveStatus(body)),
    )
    .all(allowOnly('POST'));
  app
    .route('/delete_requests')
    .post(
      requireJson,
      express.json({ limit: MAX_COMPLETIONS_BYTES, strict: false }),
      takeReport((body) => intake.receiveCompletions(body)),
    )
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
    .get((req, res) => res.json({ messages: intake.messages.latest(parseLimit(req.query.limit)) }))
    .all(allowOnly('GET', 'HEAD'));
  app
    .route('/api/requests')
    .get((req, res) => res.json({ requests: parts.requests(parseLimit(req.query.limit)) }))
    .all(allowOnly('GET', 'HEAD'));
  app
    .route('/api/decisions')
    .get((req, res) => res.json(parts.decisions(parseLimit(req.query.limit))))
    .all(allowOnly('GET', 'HEAD'));
  app
    .route('/api/scaling')
    .get((req, res) => res.json({ samples: parts.scalingAfter(parseAfter(req.query.after)) }))
    .all(allowOnly('GET', 'HEAD'));
  app.use(clientRoutes(parts.client));
  app.use(pageRoutes());

  app.use(answerNotFound);
  app.use(answerError);
  return app;
}

function reportTaker({ fault }: AppParts): (receive: (body: unknown) => Receipt) => RequestHandler {
  const answers = new ReportAnswers();
  return (receive) => (req, res) => {
    const receipt = receive(req.body);
    if (!receipt.ok) {
      const { field, problem } = receipt.refused;
      throw new WorkerError('invalid_request', `${field}: ${problem}`);
    }
    answers.answer(res, receipt.books, fault?.(receipt.report));
  };
}
