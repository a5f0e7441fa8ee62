import { choice, count, duration, integer, path, positive, type SettingType, url } from '../config/types.js';
import type { Plan } from '../load/run.js';
import { parseThresholds, type Threshold } from '../load/thresholds.js';
import { pathOn } from '../net/address.js';
import { randomFrom } from '../random.js';
import { apiKeyOf } from './api-key.js';
import { UserError } from './exit.js';
import type { Io } from './io.js';
import { parseOption } from './options.js';

/** The command line of `tsworker load`, as it is written. */
export interface LoadOptions {
  readonly route?: string;
  readonly payload?: string;
  readonly cost?: string;
  readonly rate?: string;
  readonly arrivals?: string;
  readonly seed?: string;
  readonly maxUnderWay?: string;
  readonly concurrency?: string;
  readonly duration: string;
  readonly timeout: string;
  readonly maxRetries?: string;
  readonly autoscaler: string;
  readonly apiKey?: string;
  readonly header?: readonly string[];
  readonly failOn?: string;
  readonly report?: string;
  readonly json?: true;
}

/** Whom the load is put on: an endpoint by its name, or a server by its address. */
export type Aim =
  | {
      readonly kind: 'endpoint';
      readonly endpoint: string;
      readonly autoscalerUrl: string;
      readonly apiKey: string;
      readonly maxRetries: number | undefined;
    }
  | { readonly kind: 'url'; readonly url: string; readonly headers: Readonly<Record<string, string>> };

/** @throws {UserError} */
export function aimOf(target: string, options: LoadOptions, io: Io): Aim {
  if (/^https?:\/\//i.test(target)) {
    if (options.maxRetries !== undefined)
      throw new UserError('--max-retries is for an endpoint: what goes to a url is never sent again.');
    return { kind: 'url', url: checkUrl(target), headers: headersOf(options.header ?? []) };
  }
  if (/[:/\s]/.test(target)) {
    throw new UserError(
      `"${target}" is neither the name of an endpoint nor an address such as http://127.0.0.1:8000.`,
    );
  }
  if (options.header !== undefined)
    throw new UserError('--header is for a url: the client of an endpoint sends its own.');
  return {
    kind: 'endpoint',
    endpoint: target,
    autoscalerUrl: parseOption('--autoscaler', options.autoscaler, url),
    apiKey: apiKeyOf(options.apiKey, io),
    maxRetries: optional('--max-retries', options.maxRetries, integer),
  };
}

/** The path of the route: the one that is given, else the one that the payload is for. */
export function routeOf(options: LoadOptions, ofPayload: string | null): string | undefined {
  return optional('--route', options.route, path) ?? ofPayload ?? undefined;
}

/** The whole address: a route goes behind one that has none yet. */
export function urlWith(target: string, options: LoadOptions, ofPayload: string | null): string {
  const { pathname, search } = new URL(target);
  const route = optional('--route', options.route, path);
  if (route !== undefined && search !== '')
    throw new UserError('the address has a query, so no route can go behind it; leave out one of the two.');
  const behind = route ?? (pathname === '/' && search === '' ? ofPayload : null);
  return behind === null ? target : pathOn(target, behind);
}

/** @throws {UserError} */
export function planOf(options: LoadOptions): Plan {
  const { rate, concurrency } = options;
  const durationMs = parseOption('--duration', options.duration, duration);
  if (rate !== undefined && concurrency !== undefined)
    throw new UserError(
      '--rate and --concurrency exclude each other: the one is an open loop, the other a closed one.',
    );
  if (concurrency !== undefined) {
    refuseOpenLoop(options);
    return { kind: 'closed', users: parseOption('--concurrency', concurrency, count), durationMs };
  }
  if (rate === undefined)
    throw new UserError(
      'how much load is not said; give --rate (requests a second) or --concurrency (at once).',
    );
  const { arrivals = 'even', seed = '1', maxUnderWay = '10000' } = options;
  const schedule = {
    rates: ratesOf(rate),
    durationMs,
    arrivals: parseOption('--arrivals', arrivals, choice(['even', 'poisson'])),
    random: randomFrom(parseOption('--seed', seed, integer)),
  };
  return { kind: 'open', schedule, maxUnderWay: parseOption('--max-under-way', maxUnderWay, count) };
}

/** @throws {UserError} for what would be left out of account */
function refuseOpenLoop({ arrivals, seed, maxUnderWay }: LoadOptions): void {
  const given = { '--arrivals': arrivals, '--seed': seed, '--max-under-way': maxUnderWay };
  const [option] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (option === undefined) return;
  throw new UserError(
    `${option} is for --rate: in a closed loop requests come when the ones before have ended.`,
  );
}

/** @throws {UserError} */
export function thresholdsOf({ failOn }: LoadOptions): readonly Threshold[] {
  if (failOn === undefined) return [];
  try {
    return parseThresholds(failOn);
  } catch (error) {
    if (error instanceof RangeError) throw new UserError(`--fail-on: ${error.message}.`);
    throw error;
  }
}

export function optional<T>(option: string, value: string | undefined, type: SettingType<T>): T | undefined {
  return value === undefined ? undefined : parseOption(option, value, type);
}

export function costOf({ cost }: LoadOptions): number | undefined {
  return optional('--cost', cost, positive);
}

/** `5`, or `0..35..0`: from each to the next over the whole time. */
function ratesOf(text: string): number[] {
  const rates = text.split('..').map((part) => (/^\d{1,6}(\.\d+)?$/.test(part) ? Number(part) : Number.NaN));
  if (rates.every((rate) => rate >= 0) && rates.some((rate) => rate > 0)) return rates;
  throw new UserError(
    `--rate is "${text}"; it takes requests a second such as 5, or rates to go through such as 0..35..0.`,
  );
}

function headersOf(given: readonly string[]): Record<string, string> {
  const headers = given.map((header) => {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):\s*([^\r\n]*?)\s*$/.exec(header) ?? [];
    // It may hold a secret, so it is not repeated.
    if (name === undefined || value === undefined)
      throw new UserError('a --header has not the form of one; it takes "name: value".');
    return [name.toLowerCase(), value];
  });
  return Object.fromEntries(headers);
}

function checkUrl(target: string): string {
  const parsed = URL.canParse(target) ? new URL(target) : undefined;
  if (parsed === undefined || parsed.username !== '' || parsed.password !== '' || parsed.hash !== '') {
    throw new UserError(
      'the address can not be used; it takes one such as http://127.0.0.1:8000/v1/completions.',
    );
  }
  return target;
}
