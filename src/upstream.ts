import type { ModelAnswer } from './backend/index.js';
import type { Abortable } from './cancellation.js';

/** One request to the model server. */
export interface UpstreamCall {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: Abortable;
  /** Infinity: there is no limit. */
  readonly timeouts: {
    readonly firstByteMs: number;
    readonly betweenBytesMs: number;
    readonly totalMs: number;
  };
}

/** What takes an answer as it comes. */
export interface Sink {
  /** Names and values of the headers in turn, as the model server sent them. */
  start(status: number, headers: readonly string[]): void;
  /** Answers false when it wants no more until it is drained. */
  write(chunk: Uint8Array): boolean;
  onDrain(listener: () => void): void;
  /** All of it was written. */
  end(): void;
}

/** The way to the model server. */
export interface Upstream {
  /**
   * Sends the answer into the sink, and resolves with its status when all of it is there.
   *
   * @throws {WorkerError} `model_failed`, `model_gone`, `model_timeout`; or what the signal was aborted with
   */
  stream(call: UpstreamCall, sink: Sink): Promise<number>;
  /** Resolves when the answer begins. Throws as `stream` does, and so does reading the body. */
  request(call: UpstreamCall): Promise<OpenAnswer>;
}

/** An answer that has begun. It holds its connection until it is read to its end or discarded. */
export interface OpenAnswer extends ModelAnswer {
  /** Gives up what is left of it. */
  discard(): void;
}
