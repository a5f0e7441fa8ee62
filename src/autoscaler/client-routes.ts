import express, { type RequestHandler, Router } from 'express';
import { WorkerError } from '../errors.js';
import { corsFor } from '../net/cors.js';
import { withFaults } from './answer-call.js';
import { allowOnly } from './answer-errors.js';
import { requireKey } from './api-key.js';
import { readEndpointId, readRoute, readWorkergroupId } from './client-bodies.js';
import type { Clock } from './clock.js';
import { ENDPOINT_ID, type Endpoint, viewEndpoint, viewEndpointWorkers } from './endpoint.js';
import type { CallFaultFunction } from './faults.js';
import type { Fleet } from './fleet.js';
import { requireJson } from './require-json.js';
import type { Routing } from './routing.js';
import type { Scaler } from './scaler.js';

const MAX_BODY_BYTES = 64 * 1024;

const PATHS = ['/route', '/get_endpoint_workers', '/update_workers', '/api/v0/endptjobs'];

/** The workers of the endpoint are one group. */
const WORKERGROUP_ID = 1;

export interface ClientParts {
  readonly endpoint: Endpoint;
  readonly routing: Routing;
  readonly fleet: () => Fleet;
  readonly clock: Clock;
  readonly reportIntervalMs: number;
  readonly fault: CallFaultFunction | undefined;
  /** Left out: this autoscaler starts no workers. */
  readonly scaler: Scaler | undefined;
  /** Origins whose pages may ask. */
  readonly corsOrigins: readonly string[];
}

/** What clients of the endpoint ask. Each needs the key, and nothing else is looked at without it. */
export function clientRoutes(parts: ClientParts): Router {
  const { endpoint } = parts;
  const router = Router();
  const cors = corsFor(parts.corsOrigins);
  router.use(PATHS, (req, res, next) => {
    if (!cors(req, res)) next();
  });
  const withKey: RequestHandler = (req, _res, next) => {
    requireKey(req, endpoint.apiKey);
    next();
  };
  const known: RequestHandler[] = [withKey, withFaults(parts.fault)];
  const body = [requireJson, express.json({ limit: MAX_BODY_BYTES, strict: false }), ...known];

  router.route('/route').post(body, giveRoute(parts)).all(allowOnly('POST'));
  router.route('/get_endpoint_workers').post(body, tellWorkers(parts)).all(allowOnly('POST'));
  router.route('/update_workers').post(body, updateWorkers(parts)).all(allowOnly('POST'));
  router
    .route('/api/v0/endptjobs')
    .get(...known, (_req, res) => res.json({ results: [viewEndpoint(endpoint)] }))
    .all(allowOnly('GET', 'HEAD'));
  router
    .route('/api/v0/endptjobs/:id')
    .get(...known, (req, res) => {
      if (req.params.id !== String(ENDPOINT_ID)) throw noEndpoint(`the one endpoint here is ${ENDPOINT_ID}`);
      res.json({ result: viewEndpoint(endpoint) });
    })
    .all(allowOnly('GET', 'HEAD'));
  return router;
}

function giveRoute({ endpoint, routing }: ClientParts): RequestHandler {
  return async (req, res) => {
    const asked = readRoute(req.body);
    if (asked.endpoint !== endpoint.name) throw noEndpoint(`the one endpoint here is "${endpoint.name}"`);
    res.json(await routing.route(asked.requestIdx, asked.ask));
  };
}

function updateWorkers({ scaler }: ClientParts): RequestHandler {
  return (req, res) => {
    if (readWorkergroupId(req.body) !== WORKERGROUP_ID) {
      throw new WorkerError(
        'not_found',
        `There is no such group of workers: the one here is ${WORKERGROUP_ID}.`,
      );
    }
    if (scaler === undefined) {
      throw new WorkerError(
        'invalid_request',
        'This autoscaler has not started its workers, so it can not update them. Start it with "tsworker dev <backend> --max-workers 4", or restart them yourself.',
      );
    }
    res.json({ success: true, workers: scaler.beginUpdate() });
  };
}

function tellWorkers({ fleet, clock, reportIntervalMs, scaler }: ClientParts): RequestHandler {
  return (req, res) => {
    if (readEndpointId(req.body) !== ENDPOINT_ID) {
      res.json({ error_msg: `There is no such endpoint: the one endpoint here has the id ${ENDPOINT_ID}.` });
      return;
    }
    res.json(viewEndpointWorkers(fleet(), clock, reportIntervalMs, scaler));
  };
}

/** What was asked for is not repeated: whatever a client took for a name may be a secret. */
function noEndpoint(hint: string): WorkerError {
  return new WorkerError('not_found', `There is no such endpoint: ${hint}.`);
}
