import { pipeline } from 'node:stream/promises';
import express, { type ErrorRequestHandler, type Request, type Response, Router } from 'express';
import { WorkerError } from '../../errors.js';
import { corsFor } from '../../net/cors.js';
import { relayHead } from '../../net/relay-head.js';
import { allowOnly, asTold } from '../answer-errors.js';
import { requireKey } from '../api-key.js';
import type { Endpoint } from '../endpoint.js';
import { requireJson } from '../require-json.js';
import { type Payload, readPayload } from './payload.js';
import { refusalFrom, tellRefusal } from './refusal.js';
import type { WorkerAnswer, WorkerCalls } from './worker-calls.js';

/** As much as a worker takes where nobody says otherwise. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** What of a client's headers a worker gets. Never its key. */
const PASSED_ON = ['accept', 'traceparent'] as const;

export interface OpenaiParts {
  readonly endpoint: Endpoint;
  readonly calls: WorkerCalls;
  /** Origins whose pages may ask. */
  readonly corsOrigins: readonly string[];
}

/**
 * `/openai/<endpoint>/v1/…` for clients of OpenAI's protocol, which know neither routes nor envelopes: each call is
 * routed and signed here, and the worker's answer handed on as it comes.
 */
export function openaiRoutes({ endpoint, calls, corsOrigins }: OpenaiParts): Router {
  const router = Router();
  const cors = corsFor(corsOrigins);
  router.use((req, res, next) => {
    if (!cors(req, res)) next();
  });
  // Before a body is read: a stranger's is not.
  router.use((req, _res, next) => {
    requireKey(req, endpoint.apiKey);
    next();
  });
  router.param('endpoint', (_req, _res, next, name: string) => {
    if (name === endpoint.name) next();
    else throw new WorkerError('not_found', `The one endpoint here is "${endpoint.name}".`);
  });
  router
    .route('/:endpoint/v1/*path')
    .get((req, res) => relay(calls, req, res, null))
    .post(requireJson, express.raw({ type: () => true, limit: MAX_BODY_BYTES }), (req, res) =>
      relay(calls, req, res, readPayload(req.body)),
    )
    .all(allowOnly('GET', 'HEAD', 'POST'));
  router.use(() => {
    throw new WorkerError('not_found', 'The base address is /openai/<endpoint>/v1.');
  });
  router.use(answerError);
  return router;
}

async function relay(
  calls: WorkerCalls,
  req: Request,
  res: Response,
  payload: Payload | null,
): Promise<void> {
  const leaving = new AbortController();
  res.once('close', () => leaving.abort());
  const { signal } = leaving;
  const path = req.path.replace(/^\/[^/]+/, '');
  try {
    await handOn(await calls.call({ path, headers: headersFor(req), payload, signal }), res);
  } catch (error) {
    // Who has left is told nothing, and of an answer that breaks off its connection is cut.
    if (!signal.aborted && !res.headersSent) throw error;
    res.destroy();
  }
}

/** Bytes as they are, and no faster than the client takes them. */
async function handOn(answer: WorkerAnswer, res: Response): Promise<void> {
  switch (answer.kind) {
    case 'refused':
      tellRefusal(res, answer.refusal);
      return;
    case 'whole':
      relayHead(res, answer.head.status, answer.head.headers);
      res.end(answer.body);
      return;
    case 'stream':
      relayHead(res, answer.head.status, answer.head.headers);
      res.flushHeaders();
      await pipeline(answer.body, res);
      return;
  }
}

function headersFor({ headers }: Request): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = headers[name];
    if (typeof value === 'string') passed[name] = value;
  }
  return passed;
}

const answerError: ErrorRequestHandler = (thrown, _req, res, _next) => {
  if (res.destroyed) return;
  tellRefusal(res, refusalFrom(asTold(thrown)));
};
