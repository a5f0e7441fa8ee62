import { reasonOf, ServerlessError } from './errors.js';

export interface ServerlessOptions {
  /** The key of the account or of the endpoint. It goes to the autoscaler alone, never to a worker. */
  readonly apiKey: string;
  /** Default `https://run.vast.ai`. Of `tsworker dev` it is `http://127.0.0.1:8080`. */
  readonly autoscalerUrl?: string;
  /** Where endpoints are looked up. Default: `https://console.vast.ai` with the default autoscaler, else the autoscaler. */
  readonly webUrl?: string;
  /** How long a call may take where it does not say so itself, in milliseconds. Default 300 000. */
  readonly timeout?: number;
  /** How long one question to the autoscaler may take, in milliseconds. Default 10 000. */
  readonly routeTimeout?: number;
  /** The pauses between two polls and two attempts, in milliseconds. Default from 250 to 5 000. */
  readonly backOff?: { readonly base?: number; readonly cap?: number };
  /** In place of the global `fetch`: for a proxy, certificates or time-outs of your own. */
  readonly fetch?: typeof globalThis.fetch;
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call: nothing is sent any more, and the worker stops its work on it. */
  readonly signal?: AbortSignal;
  /** How long all of it may take, polls, pauses and retries included, in milliseconds. */
  readonly timeout?: number;
}

export interface RequestOptions<T = unknown> extends CallOptions {
  /** The work that the request is, in the units of the endpoint. Default 100. */
  readonly cost?: number;
  /** How often what was sent to a worker may be sent again. Default: as often as there is time for. 0: never twice. */
  readonly maxRetries?: number;
  /** Makes the typed value of a body (of a stream: of each event), and throws where it is none. */
  readonly parse?: (body: unknown) => T;
}

/** What comes as bytes is not parsed. */
export type BytesOptions = Omit<RequestOptions, 'parse'>;

export interface StreamOptions<T = unknown> extends RequestOptions<T> {
  /** How long all of it may take until the first event is here, in milliseconds. */
  readonly timeout?: number;
  /** How long nothing may come between two events, in milliseconds. Default: as `timeout`. */
  readonly idleTimeout?: number;
}

export interface SessionOptions extends CallOptions {
  /** The work that the session counts as until it ends. Default 100. */
  readonly cost?: number;
  /** How long the session is held after its last request, in seconds. Default 60. */
  readonly lifetime?: number;
  /** A path on the model server that is called when the session ends, with `onClosePayload`. */
  readonly onCloseRoute?: string;
  readonly onClosePayload?: Readonly<Record<string, unknown>>;
}

/** The options of a client, checked and whole. */
export interface ClientSettings {
  readonly apiKey: string;
  readonly autoscalerUrl: string;
  readonly webUrl: string;
  readonly timeoutMs: number;
  readonly routeTimeoutMs: number;
  readonly backOff: { readonly baseMs: number; readonly capMs: number };
  readonly fetch: typeof globalThis.fetch;
}

const AUTOSCALER_URL = 'https://run.vast.ai';
const WEB_URL = 'https://console.vast.ai';
const DEFAULT_COST = 100;

/** The autoscaler forgets who does not ask again within a minute. */
const LONGEST_PAUSE_MS = 30_000;

/** Timers can't wait longer. */
const LONGEST_MS = 2 ** 31 - 1;

/** @throws {ServerlessError} `invalid_option` */
export function compileOptions(options: ServerlessOptions): ClientSettings {
  const { apiKey, autoscalerUrl, webUrl, timeout = 300_000, routeTimeout = 10_000, backOff = {} } = options;
  if (typeof apiKey !== 'string' || apiKey.trim() === '') throw invalid('apiKey', 'is missing');
  const baseMs = milliseconds('backOff.base', backOff.base ?? 250);
  const capMs = milliseconds('backOff.cap', backOff.cap ?? Math.max(5_000, baseMs));
  if (capMs < baseMs || capMs > LONGEST_PAUSE_MS) {
    throw invalid('backOff.cap', `must be from backOff.base to ${LONGEST_PAUSE_MS}`);
  }
  const address = baseAddress('autoscalerUrl', autoscalerUrl ?? AUTOSCALER_URL);
  return {
    apiKey,
    autoscalerUrl: address,
    webUrl: baseAddress('webUrl', webUrl ?? (address === AUTOSCALER_URL ? WEB_URL : address)),
    timeoutMs: milliseconds('timeout', timeout),
    routeTimeoutMs: milliseconds('routeTimeout', routeTimeout),
    backOff: { baseMs, capMs },
    // Called as a method of anything else, a browser's own fetch fails.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  };
}

/** @throws {ServerlessError} `invalid_option` */
export function timeoutOf({ timeout }: CallOptions, fallbackMs: number): number {
  return milliseconds('timeout', timeout ?? fallbackMs);
}

/** @throws {ServerlessError} `invalid_option` */
export function idleTimeoutOf({ idleTimeout }: StreamOptions, fallbackMs: number): number {
  return milliseconds('idleTimeout', idleTimeout ?? fallbackMs);
}

/** @throws {ServerlessError} `invalid_option` */
export function costOf({ cost = DEFAULT_COST }: { readonly cost?: number }): number {
  if (!Number.isFinite(cost) || cost < 0) throw invalid('cost', 'must be a number from 0');
  return cost;
}

/** @throws {ServerlessError} `invalid_option` */
export function maxRetriesOf({ maxRetries = Number.POSITIVE_INFINITY }: RequestOptions): number {
  if (Number.isNaN(maxRetries) || maxRetries < 0) throw invalid('maxRetries', 'must be a number from 0');
  return maxRetries;
}

/** @throws {ServerlessError} `invalid_option` */
export function checkPath(path: string): string {
  if (!/^\/(?!\/)[^?#\s\\]*$/.test(path))
    throw invalid('path', 'must be that of a route, such as "/v1/completions"');
  return path;
}

/**
 * The text of a payload.
 *
 * @throws {ServerlessError} `invalid_option`
 */
export function payloadText(payload: unknown): string {
  try {
    const text: string | undefined = JSON.stringify(payload);
    if (text !== undefined) return text;
  } catch (error) {
    throw invalid('payload', `can not be written as JSON (${reasonOf(error)})`, error);
  }
  throw invalid('payload', 'can not be written as JSON');
}

/** @throws {ServerlessError} `invalid_option`, without what the parser says, which repeats a part of the text */
export function checkJson(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch {
    throw invalid('payload', 'is not JSON');
  }
}

function milliseconds(name: string, value: number): number {
  if (value > 0 && value <= LONGEST_MS) return value;
  throw invalid(name, `must be a number of milliseconds over 0 and up to ${LONGEST_MS}`);
}

/** A path is put behind it, so it has neither query nor fragment. */
function baseAddress(name: string, url: string): string {
  if (/^https?:\/\/[^?#@\s]+$/i.test(url) && URL.canParse(url)) return url.replace(/\/+$/, '');
  throw invalid(name, 'must be an http or https address, such as "http://127.0.0.1:8080"');
}

/** What was given is not repeated: whatever was taken for a url may hold a secret. */
function invalid(name: string, problem: string, cause?: unknown): ServerlessError {
  return new ServerlessError('invalid_option', `${name} ${problem}.`, cause === undefined ? {} : { cause });
}
