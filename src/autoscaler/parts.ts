import type { EventEmitter } from 'eventemitter3';
import { NOTHING_DOUBTED } from '../../machines/belief.js';
import { makeApiKey } from './api-key.js';
import type { LocalAutoscalerEvents, LocalAutoscalerOptions } from './autoscaler-options.js';
import { type Clock, createClock } from './clock.js';
import type { Endpoint } from './endpoint.js';
import { Intake } from './intake.js';
import type { SigningKeys } from './keys.js';
import { Routing } from './routing.js';
import { Scaler } from './scaler.js';

/** What a local autoscaler is made of, but for its server. */
export interface Parts {
  readonly clock: Clock;
  readonly endpoint: Endpoint;
  readonly intake: Intake;
  readonly routing: Routing;
  /** Left out: it starts no workers. */
  readonly scaler: Scaler | undefined;
}

interface Around {
  readonly keys: SigningKeys;
  readonly reportIntervalMs: number;
  /** Has something told to those who listen to the autoscaler. */
  readonly tell: (emit: (to: EventEmitter<LocalAutoscalerEvents>) => void) => void;
}

/** Makes the parts, each of which hears of the others what it needs. */
export function makeParts(options: LocalAutoscalerOptions, { keys, reportIntervalMs, tell }: Around): Parts {
  const clock = createClock(options.now);
  const endpoint: Endpoint = {
    name: options.endpoint ?? 'my-endpoint',
    apiKey: options.apiKey ?? makeApiKey(),
    createdAt: Date.now() / 1_000,
    settings: options.scaling?.settings,
  };
  let scaler: Scaler | undefined;
  const routing: Routing = new Routing({
    endpoint: endpoint.name,
    fleet: () => intake.fleet,
    keys,
    clock,
    reportIntervalMs,
    maxQueueTimeMs: options.scaling?.settings.maxQueueTimeMs ?? Number.POSITIVE_INFINITY,
    isWithdrawn: (worker) => scaler?.isWithdrawn(worker) ?? false,
    belief: () => scaler?.belief ?? NOTHING_DOUBTED,
    onAsked: (cost) => scaler?.demand.ask(cost, clock.now()),
    untold: () => scaler?.untold ?? [],
    trouble: () => scaler?.trouble ?? '',
    onWaiting: () => scaler?.wait(),
  });
  const intake = new Intake(clock, reportIntervalMs, routing.requests, {
    onMessage: (message) => {
      scaler?.hear(message.workerId, message.kind === 'status');
      tell((to) => to.emit('message', message));
    },
    onState: (change) => tell((to) => to.emit('state', change)),
    onCompletion: (completion) => tell((to) => to.emit('completion', completion)),
    onRefused: (refused) => tell((to) => to.emit('refused', refused)),
  });
  if (options.scaling !== undefined) {
    scaler = new Scaler({
      ...options.scaling,
      clock,
      reportIntervalMs,
      intake,
      routing,
      onDecision: (decision) => tell((to) => to.emit('decision', decision)),
      onPhase: (change) => tell((to) => to.emit('phase', change)),
    });
  }
  return { clock, endpoint, intake, routing, scaler };
}
