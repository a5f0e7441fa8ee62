import type { Clock } from './clock.js';
import type { CompletionRecord } from './completions.js';
import { Completions } from './completions.js';
import { decodeStatus, type StatusMessage } from './decode.js';
import { decodeFinished } from './decode-finished.js';
import type { Books, IncomingReport } from './faults.js';
import type { CompletionsMessage } from './finished.js';
import { answer, EMPTY_FLEET, type Fleet, forget, hear } from './fleet.js';
import { type MessageRecord, MessageRing } from './messages.js';
import { redact } from './redact.js';
import type { RoutedRequests } from './routed-requests.js';
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
  readonly onCompletion: (completion: CompletionRecord) => void;
  readonly onRefused: (refused: RefusedMessage) => void;
}

export type Receipt =
  | { readonly ok: true; readonly report: IncomingReport; readonly books: Books }
  | { readonly ok: false; readonly refused: RefusedMessage };

/** Everything that this autoscaler was told: takes each body in, and keeps what is to be shown. */
export class Intake {
  readonly messages = new MessageRing();
  readonly completions = new Completions();
  readonly #requests: RoutedRequests;
  readonly #clock: Clock;
  readonly #reportIntervalMs: number;
  readonly #listener: IntakeListener;
  #fleet: Fleet = EMPTY_FLEET;
  #received = 0;
  #refusedCount = 0;
  #lastRefused: RefusedMessage | null = null;

  /** `requests`: those that were routed, to be told of their ends. */
  constructor(clock: Clock, reportIntervalMs: number, requests: RoutedRequests, listener: IntakeListener) {
    this.#clock = clock;
    this.#reportIntervalMs = reportIntervalMs;
    this.#requests = requests;
    this.#listener = listener;
  }

  get fleet(): Fleet {
    return this.#fleet;
  }

  /** Bodies that were no message: how many, and the last. */
  get refused(): { readonly count: number; readonly last: RefusedMessage | null } {
    return { count: this.#refusedCount, last: this.#lastRefused };
  }

  /** Reads a status and keeps it, not acknowledged yet. The books say what becomes of it. */
  receiveStatus(raw: unknown): Receipt {
    const atMs = this.#clock.now();
    const body = redact(raw);
    const decoded = decodeStatus(body);
    if (!decoded.ok) return this.#refuse(decoded.field, decoded.problem);
    const { message } = decoded;
    return this.#keep('/worker_status/', message, body, atMs, () => this.#countStatus(message, atMs));
  }

  /** The same for finished requests. */
  receiveCompletions(raw: unknown): Receipt {
    const atMs = this.#clock.now();
    // Redaction cuts long lists, and none of these may be lost: what is read of them is no secret.
    const decoded = decodeFinished(raw);
    if (!decoded.ok) return this.#refuse(decoded.field, decoded.problem);
    const { message } = decoded;
    const count = () => this.#countCompletions(message, atMs);
    return this.#keep('/delete_requests/', message, redact(raw), atMs, count);
  }

  /** What a worker has told of itself counts no more, since its process has ended. */
  forget(workerId: number): void {
    this.#fleet = forget(this.#fleet, workerId);
    this.#requests.loseWorker(workerId, this.#clock.now());
  }

  #keep(
    path: IncomingReport['path'],
    message: IncomingReport['message'],
    body: unknown,
    atMs: number,
    count: () => void,
  ): Receipt {
    this.#received += 1;
    const sequence = this.#received;
    const { id: workerId, dialect, kind } = message;
    const receivedAt = this.#clock.iso(atMs);
    const record = { sequence, receivedAt, workerId, dialect, kind, acknowledged: false, body };
    this.messages.append(record);
    const settle = (acknowledged: boolean) => {
      if (acknowledged) this.#acknowledge(sequence, message);
      this.#listener.onMessage({ ...record, acknowledged });
    };
    return { ok: true, report: { sequence, message, path }, books: { count, settle } };
  }

  #acknowledge(sequence: number, message: StatusMessage | CompletionsMessage): void {
    this.messages.acknowledge(sequence);
    if (message.kind !== 'completions') this.#fleet = answer(this.#fleet, message);
  }

  #countStatus(message: StatusMessage, atMs: number): void {
    const before = this.#fleet.workers.get(message.id);
    const from = before === undefined ? null : stateOf(before, atMs, this.#reportIntervalMs);
    this.#fleet = hear(this.#fleet, message, atMs);
    const after = this.#fleet.workers.get(message.id);
    if (after === undefined) return;
    const to = stateOf(after, atMs, this.#reportIntervalMs);
    if (from !== to) this.#listener.onState({ workerId: message.id, from, to });
  }

  #countCompletions(message: CompletionsMessage, atMs: number): void {
    const receivedAt = this.#clock.iso(atMs);
    for (const request of message.requests) {
      const { request_idx, status } = request;
      const isOpen = this.#requests.isOpen(request_idx, message.id);
      const completion = this.completions.take(message, request, receivedAt, isOpen);
      if (!completion.duplicate) this.#requests.finish(request_idx, message.id, status, atMs);
      this.#listener.onCompletion(completion);
    }
  }

  #refuse(field: string, problem: string): Receipt {
    const refused = { receivedAt: this.#clock.iso(this.#clock.now()), field, problem };
    this.#refusedCount += 1;
    this.#lastRefused = refused;
    this.#listener.onRefused(refused);
    return { ok: false, refused };
  }
}
