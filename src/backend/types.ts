import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Log } from '../log.js';

/** What the author's own code gets to work with, when it loads and with each request. */
export interface BackendContext {
  /**
   * In `init`: aborted when the worker stops. In a handler: aborted when the client goes away, or
   * when the time for draining is over.
   */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Tells the autoscaler that this worker is broken, and why. Nothing is accepted until `recovered()`. */
  fail(message: string): void;
  /** Takes `fail` back. */
  recovered(): void;
}

export interface RouteRequest<State, Body> extends BackendContext {
  /** What `init` returned. */
  readonly state: State;
  /** What `parseRequest` returned; without it the parsed JSON, or undefined for GET. */
  readonly body: Body;
  readonly query: URLSearchParams;
}

/**
 * Checks the parsed JSON of a request. Either a schema of any library that speaks Standard Schema
 * (zod, valibot, arktype, ...) or a function that returns the body and throws what is wrong with it.
 * Write down the type of its parameter, `(json: unknown) => ...`: without it TypeScript does not see
 * what it returns, and `body` is unknown to the handler.
 */
export type RequestParser<Body> = StandardSchemaV1<unknown, Body> | ((json: unknown) => Body | Promise<Body>);

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Route<State, Body> {
  /** POST if left out. */
  readonly method?: Method;
  readonly parseRequest?: RequestParser<Body>;
  /** Units of work of a request, from 0 to 1e12. 100 if left out, or when the function fails. */
  readonly workload?: number | ((body: NoInfer<Body>) => number);
  /** A body to try the route with, for the command that `tsworker dev` shows. */
  readonly example?: NoInfer<Body>;
  /** A string is answered as text, bytes as bytes, undefined as 204, and anything else as JSON. */
  readonly handle: (request: RouteRequest<State, NoInfer<Body>>) => unknown;
}

/** How a worker talks to its autoscaler. `legacy` is the form of the hello-autoscaler guide. */
export type DialectName = 'legacy';

export interface BackendDefinition<State, Bodies extends Record<string, unknown>> {
  readonly name: string;
  /** One line for `tsworker backends`. */
  readonly description?: string;
  /** `legacy` if left out; `none`: this backend reports nothing. */
  readonly dialect?: DialectName | 'none';
  /** The most work that the worker can do, in units per second. Required unless the dialect is `none`. */
  readonly maxPerf?: number;
  /** Makes what the routes work with. The time that it takes is the load time. */
  readonly init?: (context: BackendContext) => State | Promise<State>;
  /** Routes by their exact path. */
  readonly routes: { readonly [Path in keyof Bodies]: Route<NoInfer<State>, Bodies[Path]> };
}
