import type { Ask } from './ask.js';
import type { Autoscaler } from './autoscaler.js';
import { Call } from './call.js';
import type { EventBus } from './events.js';
import {
  type ClientSettings,
  checkPath,
  costOf,
  maxRetriesOf,
  payloadText,
  type RequestOptions,
  timeoutOf,
} from './options.js';
import type { EndpointInfo, Route } from './shapes.js';

/** What an endpoint, and its sessions, are made with. */
export interface EndpointParts {
  readonly settings: ClientSettings;
  readonly autoscaler: Autoscaler;
  readonly bus: EventBus;
  readonly nextCall: () => number;
  readonly info: EndpointInfo;
}

/** @throws {ServerlessError} `invalid_option` */
export function askOf(parts: EndpointParts, path: string, payload: unknown, sessionId?: string): Ask {
  return askOfText(parts, path, payloadText(payload), sessionId);
}

/** @throws {ServerlessError} `invalid_option` */
export function askOfText(
  { settings }: EndpointParts,
  path: string,
  payload: string,
  sessionId: string | null = null,
): Ask {
  return { fetch: settings.fetch, path: checkPath(path), payload, sessionId };
}

/** @throws {ServerlessError} `invalid_option` */
export function callOf(
  parts: EndpointParts,
  path: string,
  options: Omit<RequestOptions, 'parse'>,
  fixed?: Route,
): Call {
  const { settings, autoscaler, bus, nextCall, info } = parts;
  return new Call({
    settings,
    autoscaler,
    bus,
    signal: options.signal,
    timeoutMs: timeoutOf(options, settings.timeoutMs),
    cost: costOf(options),
    maxRetries: maxRetriesOf(options),
    facts: { call: nextCall(), endpoint: info.endpoint_name, path },
    ...(fixed && { fixed }),
  });
}
