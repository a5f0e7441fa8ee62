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

/** A duration in ms as a number, or as text such as `500ms`, `30s`, `2m` or `1h`. */
export type Duration = number | string;

/** How long the model server may take. Left out: no limit. Settings may say another thing for all routes. */
export interface RouteTimeouts {
  /** To the headers of its answer. */
  readonly firstByte?: Duration;
  /** Between two pieces of its answer. */
  readonly betweenBytes?: Duration;
  /** From when the request's turn comes to the end of the answer. */
  readonly total?: Duration;
}

/** The answer of the model server, as `transformResponse` gets it. Its body can be read once. */
export interface ModelAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  json(): Promise<unknown>;
  text(): Promise<string>;
}

/** How fast the model is, in units of work per second, is measured with a route when the model has loaded. */
export interface Benchmark<Body> {
  /** The bodies to send, used in turn. */
  readonly dataset?: readonly Body[];
  /** Makes the body of the request with this number, counted from 0, or promises it. */
  readonly generate?: (index: number) => Body | Promise<Body>;
  /** Rounds. 8 if left out. */
  readonly runs?: number;
  /** Requests at once in a round. 10 if left out; always 1 where the route is serial. */
  readonly concurrency?: number;
  /** Requests before the first round, which are not measured. 1 if left out. */
  readonly warmup?: number;
  /** The longest that the whole may take. 10 minutes if left out. */
  readonly timeout?: Duration;
}

export interface Route<State, Body> {
  /** POST if left out. */
  readonly method?: Method;
  /**
   * Open to everybody: its requests have no envelope. Without a body there is none either, and so no signature: where
   * requests must be signed, a GET is closed unless it is public.
   */
  readonly public?: boolean;
  readonly parseRequest?: RequestParser<Body>;
  /**
   * Changes the text of the body before it goes to the model server. Without it, and without `parseRequest`, that
   * is what the client wrote; with `parseRequest` alone, what that returned.
   */
  readonly rewrite?: (text: string) => string;
  /** Units of work of a request, from 0 to 1e12. 100 if left out, or when the function fails. */
  readonly workload?: number | ((body: NoInfer<Body>) => number);
  /** A body to try the route with, for the command that `tsworker dev` shows. */
  readonly example?: NoInfer<Body>;
  /**
   * How many requests are worked on at once; the others wait, first in first out. `true`: all of them;
   * `false`: one of all the routes that say so; a number: so many of this route. `false` if left out for a
   * route that goes to the model server, `true` for one that is handled here.
   */
  readonly parallel?: boolean | number;
  /**
   * Requests that would wait longer are refused with 429; `Infinity`: none are. If left out 30 s, and Infinity
   * where nothing waits because all are handled here at once.
   */
  readonly maxQueueTime?: Duration;
  readonly timeouts?: RouteTimeouts;
  readonly benchmark?: Benchmark<NoInfer<Body>>;
  /** The path on the model server. The route's own if left out. */
  readonly upstreamPath?: string;
  /** Answers in place of what the model server said: as `handle` does. Without it its bytes go on untouched. */
  readonly transformResponse?: (answer: ModelAnswer, request: RouteRequest<State, NoInfer<Body>>) => unknown;
  /**
   * Answers the request here. Left out: the request goes on to the model server.
   *
   * A string is answered as text, bytes as bytes, undefined as 204, what can be iterated over with `for await`
   * as a stream (of text or bytes as they are, of anything else as one line of JSON each), and anything else
   * as JSON.
   */
  readonly handle?: (request: RouteRequest<State, NoInfer<Body>>) => unknown;
}

/** A text that a line of the log contains, begins with, or a regular expression that it matches. */
export type LogRule = string | { readonly prefix: string } | RegExp;

/** What the lines of the model server's log mean. */
export interface LogRules {
  /** The model has loaded. */
  readonly loaded?: readonly LogRule[];
  /**
   * The model can't be loaded, unless something says within two seconds that it has: a log may begin with an earlier
   * run. After it has loaded such a line is told and changes nothing.
   */
  readonly failed?: readonly LogRule[];
  /** Worth passing on to the worker's log. */
  readonly info?: readonly LogRule[];
}

/** The model server that stands behind the worker. */
export interface ModelServer {
  /** Its base address; `MODEL_SERVER_URL` sets another. */
  readonly url: string;
  /**
   * What starts it: a text for a shell, or a program and its arguments; `TSWORKER_MODEL_COMMAND` sets another. With
   * it the worker runs the model server itself. Left out: somebody else does.
   */
  readonly command?: string | readonly string[];
  /** The path of its log file; `MODEL_LOG` sets another. Where the worker runs it, the worker writes the file. */
  readonly log?: string;
  readonly logs?: LogRules;
  /** The path that answers 200 while it is well; `MODEL_HEALTH_ENDPOINT` sets another. */
  readonly health?: string;
  /**
   * What tells that it has loaded. `both` if it has a log and a health path, else what it has. What the worker runs
   * itself is heard without a file, so that the rules for its log alone will do where it has no health path.
   */
  readonly readiness?: 'log' | 'health' | 'both';
}

/** How a worker talks to its autoscaler. `legacy` is the form of the hello-autoscaler guide. */
export type DialectName = 'legacy' | 'current';

export interface BackendDefinition<State, Bodies extends Record<string, unknown>> {
  readonly name: string;
  /** One line for `tsworker backends`. */
  readonly description?: string;
  /** `current` for a backend with a model server, else `legacy`; `none`: this backend reports nothing. */
  readonly dialect?: DialectName | 'none';
  /** How a data update of the legacy dialect tells the work that came in. `sum` if left out. */
  readonly legacyLoad?: 'sum' | 'rate';
  /**
   * Whether the legacy dialect has a message for the batch capacity that a program tells which watches the model
   * server's log. `false` if left out.
   */
  readonly legacyCapacity?: boolean;
  /** The model server that routes without a `handle` go to. */
  readonly model?: ModelServer;
  /**
   * The most work that the worker can do, in units per second. Required unless the dialect is `none` or a
   * route has a `benchmark`, whose result it takes the place of.
   */
  readonly maxPerf?: number;
  /** How many sessions clients may hold at once. 10 if left out, 0: no limit. */
  readonly maxSessions?: number;
  /** Makes what the routes work with. The time that it takes is part of the load time. */
  readonly init?: (context: BackendContext) => State | Promise<State>;
  /** Routes by their exact path. */
  readonly routes: { readonly [Path in keyof Bodies]: Route<NoInfer<State>, Bodies[Path]> };
}
