import type { RequestHandler } from 'express';
import type { RequestEvent } from '../../machines/events.js';
import type { Session } from '../../machines/sessions.js';
import { RepeatGuard, ReplayWindow } from '../auth/replay.js';
import type { Backend, BackendContext } from '../backend/index.js';
import type { Config } from '../config/index.js';
import type { Dialect, Presence } from '../dialects/dialect.js';
import { messageOf, WorkerError } from '../errors.js';
import type { Log } from '../log.js';
import { mustBeSigned } from '../must-be-signed.js';
import { corsFor } from '../net/cors.js';
import { descriptorLimit, sharesOf } from '../net/descriptors.js';
import type { Upstream } from '../upstream.js';
import type { Admission } from './admission.js';
import { createApp } from './app.js';
import { Bodies } from './bodies.js';
import { Door, type Keys } from './door.js';
import { createExchange } from './exchange.js';
import { Front } from './front.js';
import { Gate } from './gate.js';
import { createInternalApp } from './internal.js';
import { Lanes } from './lanes.js';
import type { OperatorPages } from './operator-routes.js';
import type { Ports } from './ports.js';
import { Refusals } from './refusals.js';
import { type RequestRow, Roster } from './roster.js';
import { type SessionRow, Sessions } from './sessions.js';
import { LOOKS } from './stuck.js';
import type { UpdateCalls } from './update-route.js';
import type { WatcherReports } from './watcher-routes.js';

export interface ServiceOptions {
  readonly backend: Backend;
  readonly config: Config;
  /** Null: the backend reports to nobody, and nobody signs its requests. */
  readonly dialect: Dialect | null;
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly admission: () => Admission;
  readonly emit: (event: RequestEvent) => void;
  readonly keys: Keys;
  /** What signed requests may be addressed to; null: it is not known. */
  readonly urls: () => ReadonlySet<string> | null;
  readonly upstream: Upstream | null;
  readonly publicUpstream: Upstream | null;
  /** Units of work per second; 0: not known. */
  readonly maxPerf: () => number;
  readonly state: () => unknown;
  readonly context: Omit<BackendContext, 'signal'>;
  readonly operator: OperatorPages;
  /** The pages that show the worker at work. */
  readonly inspector: RequestHandler;
  readonly watcher: WatcherReports;
  readonly updates: UpdateCalls;
}

/** The worker's service to its clients: where they come in, who is inside, and how they leave. */
export class Service {
  readonly #gate: Gate;
  readonly #refusals: Refusals;
  readonly #roster = new Roster();
  readonly #lanes: Lanes;
  readonly #sessions: Sessions;
  readonly #front: Front;
  readonly #sessionGraceMs: number;
  readonly #clientTimeoutMs: number;
  #looking: NodeJS.Timeout | undefined;
  #lastId = 0;

  constructor(options: ServiceOptions) {
    const { backend, config, dialect, log, now, emit, upstream, operator } = options;
    this.#sessionGraceMs = config.sessionGraceMs;
    this.#clientTimeoutMs = config.clientTimeoutMs;
    this.#gate = new Gate(options.admission);
    this.#refusals = new Refusals(log);
    this.#lanes = new Lanes(backend.routes.values());
    const nextId = () => ++this.#lastId;
    const common = { gate: this.#gate, roster: this.#roster, now, nextId, emit };
    this.#sessions = new Sessions({
      ...common,
      max: backend.maxSessions,
      callBack: callBackOver(upstream, log),
    });
    const bodies = bodiesOf(config);
    const door = new Door({ ...doorOptions(options, this.#refusals), bodies });
    const exchange = createExchange({
      ...common,
      door,
      lanes: this.#lanes,
      sessions: this.#sessions,
      tellsRefusals: dialect?.tellsRequests === true,
      upstream,
      publicUpstream: options.publicUpstream,
      maxPerf: options.maxPerf,
      state: options.state,
      context: options.context,
      onWorkloadProblem: ({ path }, problem) => this.#refusals.workload(path, problem),
    });
    const sessions = {
      ...common,
      sessions: this.#sessions,
      door,
      bodies,
      hasModel: upstream !== null,
    };
    const onError = (error: WorkerError) => {
      operator.told(error.code);
      this.#refusals.error(error);
    };
    const hasSessions = dialect?.tellsRequests === true;
    const { clients: maxConnections } = sharesOf(descriptorLimit(), upstream !== null);
    const update = { masterToken: config.masterToken, calls: options.updates };
    this.#front = new Front(config, {
      clients: createApp({
        routes: backend.routes,
        cors: corsFor(config.corsOrigins ?? []),
        gate: this.#gate,
        exchange,
        sessions: hasSessions ? sessions : null,
        update,
        onError,
      }),
      operator: createInternalApp({
        pages: options.operator,
        inspector: options.inspector,
        token: config.internalToken,
        update,
        sessions: hasSessions ? sessions : null,
        watcher: backend.model === null ? null : { ...options.watcher, masterToken: config.masterToken },
        // Those on this side are not strangers, who must not keep them out.
        bodies: bodiesOf(config),
      }),
      onRefused: onError,
      maxConnections,
      onCrowded: () => this.#refusals.crowded(maxConnections),
      log,
    });
  }

  get underWay(): number {
    return this.#gate.underWay;
  }

  get queued(): number {
    return this.#lanes.waiting;
  }

  get sessions(): number {
    return this.#sessions.count;
  }

  /** Who is inside, as the operator sees it: as many of each as are asked for. */
  rows(most: number): { readonly sessions: SessionRow[]; readonly requests: RequestRow[] } {
    return { sessions: this.#sessions.rows(most), requests: this.#roster.rows(most) };
  }

  presence(): Presence {
    return this.#roster.presence();
  }

  /** @throws when a port is taken, or the certificate can't be read; nothing is left behind then */
  async open(): Promise<Ports> {
    const ports = await this.#front.open();
    if (Number.isFinite(this.#clientTimeoutMs)) {
      this.#looking = setInterval(() => this.#cutStuck(), this.#clientTimeoutMs / LOOKS).unref();
    }
    return ports;
  }

  /** From now on connections and sessions are let go of as they fall idle. */
  drain(): void {
    this.#gate.drain();
    this.#sessions.drain(this.#sessionGraceMs);
    this.#front.closeIdleConnections();
  }

  /** Takes back what `drain` has begun. */
  goOn(): void {
    this.#gate.goOn();
    this.#sessions.goOn();
  }

  /**
   * Resolves when no request is under way and no session is held, or rejects when the signal is aborted first. From
   * then on nobody comes in any more, not even to be turned away: what is told next is the last that is told.
   */
  async idle(signal: AbortSignal): Promise<void> {
    await this.#sessions.empty(signal);
    await this.#gate.idle(signal);
    this.#front.closeToClients();
  }

  /**
   * Cuts the requests that are under way and ends the sessions. Resolves with the number of requests when their ends
   * and those of the sessions are told, and nobody comes in any more; what the sessions ask to be posted at their end
   * may still be on its way.
   */
  async cut(signal: AbortSignal): Promise<number> {
    const requests = this.#gate.cut();
    void this.#sessions.endAll();
    await this.#gate.idle(signal);
    this.#front.closeToClients();
    return requests;
  }

  /** Cuts what is still under way, ends the sessions, and closes every connection. */
  async close(): Promise<void> {
    this.#gate.cut();
    await this.#sessions.endAll();
    await this.#front.close();
    clearInterval(this.#looking);
    this.#refusals.flush();
  }

  #cutStuck(): void {
    for (let cut = this.#gate.cutStuck(); cut > 0; cut--) this.#refusals.stuck(this.#clientTimeoutMs);
  }
}

function bodiesOf({ bodyLimitBytes, uncheckedLimitBytes }: Config): Bodies {
  return new Bodies({ limitBytes: bodyLimitBytes, uncheckedLimitBytes });
}

function doorOptions({ config, dialect, keys, urls }: ServiceOptions, refusals: Refusals) {
  const { unsecured } = config;
  const isCurrent = dialect?.tellsRequests === true;
  return {
    openEnvelope: dialect?.openEnvelope ?? null,
    unsigned: mustBeSigned(dialect, config) ? 'refused' : 'taken',
    unsecured,
    urls,
    keys,
    replays: dialect === null || isCurrent ? null : new ReplayWindow(),
    repeats: isCurrent && config.refuseRepeats ? new RepeatGuard() : null,
    onUnsigned: () => refusals.unsigned(),
  } as const;
}

const CALLBACK_TIMEOUT_MS = 10_000;

/** Posts what a session asked to be posted at its end to the model server: once, as well as it can. */
function callBackOver(upstream: Upstream | null, log: Log) {
  return async ({ id, onCloseRoute, onClosePayload }: Session): Promise<void> => {
    if (upstream === null || onCloseRoute === null) return;
    const limit = { firstByteMs: CALLBACK_TIMEOUT_MS, betweenBytesMs: CALLBACK_TIMEOUT_MS };
    const payload = typeof onClosePayload === 'object' ? onClosePayload : {};
    try {
      const answer = await upstream.request({
        method: 'POST',
        path: onCloseRoute,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...payload, session_id: id }),
        signal: new AbortController().signal,
        timeouts: { ...limit, totalMs: CALLBACK_TIMEOUT_MS },
      });
      await answer.text();
      if (answer.status >= 400) throw new Error(`it answered with status ${answer.status}`);
    } catch (error) {
      log.warn('the model server could not be told that a session has ended', {
        event: 'session.callback.failed',
        route: onCloseRoute,
        reason: messageOf(error instanceof WorkerError ? (error.cause ?? error) : error),
      });
    }
  };
}
