import { type Peer, readBody, send, unexpected } from './answers.js';
import { ServerlessError } from './errors.js';
import type { Leash } from './leash.js';
import type { ClientSettings } from './options.js';
import {
  type EndpointWorker,
  type KeyedEndpoint,
  type NoRoute,
  type Route,
  readEndpoints,
  readRoute,
  readWorkers,
} from './shapes.js';

const PEER: Peer = { party: 'autoscaler' };

/** A request that is not asked for again within this time is forgotten there: more than the longest pause. */
const REPLAY_TIMEOUT_SECONDS = 60;

/** The questions to the autoscaler. It alone gets the key, and nobody else here has it. */
export class Autoscaler {
  readonly #settings: ClientSettings;
  readonly #apiKey: string;

  constructor(settings: ClientSettings, apiKey: string) {
    this.#settings = settings;
    this.#apiKey = apiKey;
  }

  async route(
    asked: { readonly endpoint: string; readonly cost: number; readonly requestIdx: number },
    leash: Leash,
  ): Promise<Route | NoRoute> {
    const { endpoint, cost, requestIdx } = asked;
    const replay_timeout = REPLAY_TIMEOUT_SECONDS;
    const body = await this.#post(
      '/route/',
      { endpoint, cost, request_idx: requestIdx, replay_timeout },
      leash,
    );
    return readRoute(body) ?? fail('no route', body);
  }

  async workers(endpointId: number, leash: Leash): Promise<readonly EndpointWorker[]> {
    const body = await this.#post('/get_endpoint_workers/', { id: endpointId }, leash);
    const read = readWorkers(body) ?? fail('no list of workers', body);
    if (!('error' in read)) return read;
    throw new ServerlessError('endpoint_not_ready', `The autoscaler said: ${read.error}`, { body });
  }

  async endpoints(leash: Leash): Promise<readonly KeyedEndpoint[]> {
    const url = `${this.#settings.webUrl}/api/v0/endptjobs/?client_id=me`;
    const body = await this.#ask(url, { method: 'GET' }, leash);
    return readEndpoints(body) ?? fail('no list of endpoints', body);
  }

  #post(path: string, fields: object, leash: Leash): Promise<unknown> {
    const body = JSON.stringify({ ...fields, api_key: this.#apiKey });
    return this.#ask(this.#settings.autoscalerUrl + path, { method: 'POST', body }, leash);
  }

  async #ask(url: string, init: RequestInit, leash: Leash): Promise<unknown> {
    const headers = {
      accept: 'application/json',
      authorization: `Bearer ${this.#apiKey}`,
      ...(init.body != null && { 'content-type': 'application/json' }),
    };
    const response = await send(this.#settings.fetch, url, { ...init, headers }, leash, PEER);
    return readBody(response, leash, PEER);
  }
}

function fail(what: string, body: unknown): never {
  throw unexpected(PEER, what, { status: 200, body });
}
