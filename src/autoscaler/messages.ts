import type { Dialect, MessageKind } from './decode.js';
import type { CompletionsMessage } from './finished.js';

/** One message that arrived, whatever was answered. */
export interface MessageRecord {
  /** 1 for the first message of this autoscaler, then one more each. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  readonly workerId: number;
  readonly dialect: Dialect;
  /** `completions`: finished requests, told at `/delete_requests/`. */
  readonly kind: MessageKind | CompletionsMessage['kind'];
  /** Whether a whole 2xx answer was written: only then may the worker take the message as delivered. */
  readonly acknowledged: boolean;
  /** As it arrived, without secrets, long texts and lists cut. */
  readonly body: unknown;
}

export interface MessageLimits {
  readonly maxCount: number;
  /** Of the bodies, as JSON text. */
  readonly maxBytes: number;
}

const DEFAULT_LIMITS: MessageLimits = { maxCount: 1_000, maxBytes: 4 * 1024 * 1024 };

/** The last messages, oldest first, bounded in number and bytes. */
export class MessageRing {
  readonly #limits: MessageLimits;
  #entries: { record: MessageRecord; bytes: number }[] = [];
  #bytes = 0;
  #dropped = 0;

  constructor(limits: Partial<MessageLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Messages that made room for later ones. */
  get dropped(): number {
    return this.#dropped;
  }

  append(record: MessageRecord): void {
    const bytes = Buffer.byteLength(JSON.stringify(record.body) ?? '');
    this.#entries.push({ record, bytes });
    this.#bytes += bytes;
    while (this.#entries.length > this.#limits.maxCount || this.#bytes > this.#limits.maxBytes) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) return;
      this.#bytes -= oldest.bytes;
      this.#dropped += 1;
    }
  }

  /** Marks a message as acknowledged, if it is still remembered. */
  acknowledge(sequence: number): void {
    const entry = this.#entries.findLast(({ record }) => record.sequence === sequence);
    if (entry !== undefined) entry.record = { ...entry.record, acknowledged: true };
  }

  /** The last `limit` messages, newest last; all that are remembered without a limit. */
  latest(limit = this.#entries.length): MessageRecord[] {
    const from = Math.max(0, this.#entries.length - limit);
    return this.#entries.slice(from).map(({ record }) => record);
  }
}
