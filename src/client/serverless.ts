import { Autoscaler } from './autoscaler.js';
import { Call } from './call.js';
import { Endpoint } from './endpoint.js';
import { ServerlessError } from './errors.js';
import { type ClientEventName, type ClientEvents, EventBus } from './events.js';
import {
  type CallOptions,
  type ClientSettings,
  compileOptions,
  type ServerlessOptions,
  timeoutOf,
} from './options.js';
import type { EndpointInfo, KeyedEndpoint } from './shapes.js';

/**
 * The client of serverless endpoints: it finds a worker for each request, and tries again where that may help, within
 * a deadline.
 *
 * @example
 * const client = new Serverless({ apiKey, autoscalerUrl: 'http://127.0.0.1:8080' });
 * const endpoint = await client.endpoint('my-endpoint');
 * const { body } = await endpoint.request('/v1/completions', { prompt: 'Once', max_tokens: 32 }, { cost: 32 });
 */
export class Serverless {
  readonly #settings: ClientSettings;
  readonly #autoscaler: Autoscaler;
  readonly #bus = new EventBus();
  #lastCall = 0;

  /** @throws {ServerlessError} `invalid_option` */
  constructor(options: ServerlessOptions) {
    this.#settings = compileOptions(options);
    this.#autoscaler = new Autoscaler(this.#settings, this.#settings.apiKey);
  }

  /**
   * The endpoint of this name.
   *
   * @throws {ServerlessError} `no_such_endpoint`, naming those that there are
   */
  async endpoint(name: string, options: CallOptions = {}): Promise<Endpoint> {
    const { info, apiKey } = await this.#endpoints(name, options, (endpoints) => named(name, endpoints));
    return new Endpoint({
      settings: this.#settings,
      // The endpoint's own key opens this endpoint alone, so that it is the better one to send.
      autoscaler: apiKey === undefined ? this.#autoscaler : new Autoscaler(this.#settings, apiKey),
      bus: this.#bus,
      nextCall: () => this.#nextCall(),
      info,
    });
  }

  /**
   * All endpoints of the key.
   *
   * @throws {ServerlessError}
   */
  async endpoints(options: CallOptions = {}): Promise<readonly EndpointInfo[]> {
    return this.#endpoints('', options, (endpoints) => endpoints.map(({ info }) => info));
  }

  /** Listens until the returned function is called. */
  on<N extends ClientEventName>(name: N, listener: (event: ClientEvents[N]) => void): () => void {
    return this.#bus.on(name, listener);
  }

  /** What is made of the list is part of the call: it fails when there is no such endpoint. */
  #endpoints<T>(
    name: string,
    options: CallOptions,
    read: (endpoints: readonly KeyedEndpoint[]) => T,
  ): Promise<T> {
    const call = new Call({
      settings: this.#settings,
      autoscaler: this.#autoscaler,
      bus: this.#bus,
      signal: options.signal,
      timeoutMs: timeoutOf(options, this.#settings.timeoutMs),
      cost: 0,
      maxRetries: 0,
      facts: { call: this.#nextCall(), endpoint: name, path: '/api/v0/endptjobs/' },
    });
    return call.telling(call.withAutoscaler((leash) => this.#autoscaler.endpoints(leash)).then(read));
  }

  #nextCall(): number {
    this.#lastCall += 1;
    return this.#lastCall;
  }
}

function named(name: string, endpoints: readonly KeyedEndpoint[]): KeyedEndpoint {
  const found = endpoints.find(({ info }) => info.endpoint_name === name);
  if (found !== undefined) return found;
  const names = endpoints.map(({ info }) => `"${info.endpoint_name}"`).join(', ');
  const others = endpoints.length === 0 ? 'there is none' : `there are: ${names}`;
  throw new ServerlessError('no_such_endpoint', `There is no endpoint "${name}"; ${others}.`);
}
