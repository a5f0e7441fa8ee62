import type { Clock } from './clock.js';
import { decodeStatus } from './decode.js';
import type { Books, IncomingReport } from './faults.js';
import { EMPTY_FLEET, type Fleet, hear } from './fleet.js';
import { type MessageRecord, MessageRing } from './messages.js';
import { redact } from './redact.js';
import { stateOf, type WorkerState } from './worker-state.js';

/** A body that is no message, told to the worker as 400. */
export interface RefusedMessage {
  readonly receivedAt: string;
  /** The field that is wrong. */
  readonly field: string;
  readonly problem: string;
}

/** A worker's state changed with a message. That it fell silent is no message: see `workers()`. */
export interface StateChange {
  readonly workerId: number;
  /** `null`: it was not heard of before. */
  readonly from: WorkerState | null;
  readonly to: WorkerState;
}

export interface IntakeListener {
  readonly onMessage: (record: MessageRecord) => void;
  readonly onState: (change: StateChange) => void;
  readonly onRefused: (refused: RefusedMessage) => void;
}

export type Receipt =
  | { readonly ok: true; readonly report: IncomingReport; readonly books: Books }
  | { readonly ok: false; readonly refused: RefusedMessage };

/** Everything that this autoscaler was told: takes each body in, and keeps what is to be shown. */
export class Intake {
  readonly messages = new MessageRing();
  readonly #clock: Clock;
  readonly #reportIntervalMs: number;
  readonly #listener: IntakeListener;
  #fleet: Fleet = EMPTY_FLEET;
  #received = 0;
  #refusedCount = 0;
  #lastRefused: RefusedMessage | null = null;

  constructor(clock: Clock, reportIntervalMs: number, listener: IntakeListener) {
    this.#clock = clock;
    this.#reportIntervalMs = reportIntervalMs;
    this.#listener = listener;
  }

  get fleet(): Fleet {
    return this.#fleet;
  }

  /** Bodies that were no message: how many, and the last. */
  get refused(): { readonly count: number; readonly last: RefusedMessage | null } {
    return { count: this.#refusedCount, last: this.#lastRefused };
  }

  /** Reads a body and keeps it, not acknowledged yet. The books say what becomes of it. */
  receive(raw: unknown): Receipt {
    const atMs = this.#clock.now();
    const receivedAt = this.#clock.iso(atMs);
    const body = redact(raw);
    const decoded = decodeStatus(body);
    if (!decoded.ok) return this.#refuse({ receivedAt, field: decoded.field, problem: decoded.problem });

    const { message } = decoded;
    this.#received += 1;
    const sequence = this.#received;
    const { id: workerId, dialect, kind } = message;
    const record = { sequence, receivedAt, workerId, dialect, kind, acknowledged: false, body };
    this.messages.append(record);
    const books: Books = {
      count: () => this.#count({ sequence, message }, atMs),
      settle: (acknowledged) => {
        if (acknowledged) this.messages.acknowledge(sequence);
        this.#listener.onMessage({ ...record, acknowledged });
      },
    };
    return { ok: true, report: { sequence, message }, books };
  }

  #count({ message }: IncomingReport, atMs: number): void {
    const before = this.#fleet.workers.get(message.id);
    const from = before === undefined ? null : stateOf(before, atMs, this.#reportIntervalMs);
    this.#fleet = hear(this.#fleet, message, atMs);
    const after = this.#fleet.workers.get(message.id);
    if (after === undefined) return;
    const to = stateOf(after, atMs, this.#reportIntervalMs);
    if (from !== to) this.#listener.onState({ workerId: message.id, from, to });
  }

  #refuse(refused: RefusedMessage): Receipt {
    this.#refusedCount += 1;
    this.#lastRefused = refused;
    this.#listener.onRefused(refused);
    return { ok: false, refused };
  }
}
