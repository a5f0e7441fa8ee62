import { EventEmitter } from 'eventemitter3';
import type { CompletionsEmitted } from '../machines/completions.js';
import type { RequestEvent } from '../machines/events.js';
import type { HealthEmitted } from '../machines/health.js';
import type { LifecycleEmitted } from '../machines/life.js';
import type { PublicKeyEmitted } from '../machines/public-key.js';
import type { ReadinessEmitted } from '../machines/readiness-facts.js';
import type { ReloadEmitted } from '../machines/reload.js';
import type { ReporterEmitted } from '../machines/reports.js';
import type { SupervisorEmitted } from '../machines/supervision.js';

/** What travels over the bus, by topic. */
export interface BusEvents {
  request: RequestEvent;
  lifecycle: LifecycleEmitted;
  report: ReporterEmitted;
  completions: CompletionsEmitted;
  key: PublicKeyEmitted;
  model: ModelEvent;
}

/** What is seen of the model while it loads, while it is watched, and of its server where the worker runs it. */
export type ModelEvent = ReadinessEmitted | HealthEmitted | ReloadEmitted | SupervisorEmitted;

export type Topic = keyof BusEvents;

/**
 * The worker's event bus. Those who speak do not know who listens, and a listener that throws stops
 * neither the work that spoke nor the other listeners.
 */
export class Bus {
  readonly #emitter = new EventEmitter<Topic>();
  readonly #onListenerError: (error: unknown, topic: Topic) => void;

  constructor(onListenerError: (error: unknown, topic: Topic) => void) {
    this.#onListenerError = onListenerError;
  }

  emit<T extends Topic>(topic: T, event: BusEvents[T]): void {
    this.#emitter.emit(topic, event);
  }

  /** Listens until the returned function is called. */
  on<T extends Topic>(topic: T, listener: (event: BusEvents[T]) => void): () => void {
    const safely = (event: BusEvents[T]) => {
      try {
        listener(event);
      } catch (error) {
        this.#onListenerError(error, topic);
      }
    };
    this.#emitter.on(topic, safely);
    return () => this.#emitter.off(topic, safely);
  }
}
