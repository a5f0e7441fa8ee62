import type { OpenAnswer, Sink, Upstream, UpstreamCall } from '../upstream.js';

/** A request that follows as soon as this goes on with the silence of the one before, as in a queue. */
const FOLLOWS_WITHIN_MS = 1_000;

export interface TrafficOptions {
  readonly upstream: Upstream;
  /** How many bytes of answers the model server has sent in all. */
  readonly bytesSoFar: () => number;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

/**
 * The way to the model server, which knows for how long the server has sent nothing although requests wait for it.
 * A request whose client does not take what is there waits for its client, not for the model server.
 */
export class Traffic implements Upstream {
  readonly #options: TrafficOptions;
  /** Requests that wait for the model server. */
  #waiting = 0;
  #bytesHeard = 0;
  #quietSinceMs = 0;
  #idleSinceMs = Number.NEGATIVE_INFINITY;
  /** The longest silence that has ended with its requests and without a byte since it was last asked for. */
  #endedQuietMs = 0;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  async stream(call: UpstreamCall, sink: Sink): Promise<number> {
    const wait = new Wait(this.#enter, this.#leave);
    try {
      return await this.#options.upstream.stream(call, patientSink(sink, wait));
    } finally {
      wait.end();
    }
  }

  /** Waits until the answer begins: how fast it is read from then on is not up to the model server alone. */
  async request(call: UpstreamCall): Promise<OpenAnswer> {
    const wait = new Wait(this.#enter, this.#leave);
    try {
      return await this.#options.upstream.request(call);
    } finally {
      wait.end();
    }
  }

  /** The longest silence since this was last asked for, in ms: 0 where bytes came, or nothing waited. */
  takeQuietMs(): number {
    const now = this.#listen();
    const goesOnMs = this.#waiting > 0 ? now - this.#quietSinceMs : 0;
    const quietMs = Math.max(goesOnMs, this.#endedQuietMs);
    this.#endedQuietMs = 0;
    return quietMs;
  }

  readonly #enter = () => {
    const now = this.#listen();
    if (this.#waiting === 0 && now - this.#idleSinceMs > FOLLOWS_WITHIN_MS) this.#quietSinceMs = now;
    this.#waiting++;
  };

  readonly #leave = () => {
    const now = this.#listen();
    this.#waiting--;
    if (this.#waiting > 0) return;
    this.#idleSinceMs = now;
    this.#endedQuietMs = Math.max(this.#endedQuietMs, now - this.#quietSinceMs);
  };

  /** Ends the silence where bytes have come, and answers with the time. */
  #listen(): number {
    const now = this.#options.now();
    const bytes = this.#options.bytesSoFar();
    if (bytes === this.#bytesHeard) return now;
    this.#bytesHeard = bytes;
    this.#quietSinceMs = now;
    this.#endedQuietMs = 0;
    return now;
  }
}

/** One request that waits for the model server, but for the times when it waits for its client. */
class Wait {
  readonly #enter: () => void;
  readonly #leave: () => void;
  #waits = true;
  #ended = false;

  constructor(enter: () => void, leave: () => void) {
    this.#enter = enter;
    this.#leave = leave;
    enter();
  }

  pause(): void {
    if (this.#waits) this.#leave();
    this.#waits = false;
  }

  resume(): void {
    if (this.#waits || this.#ended) return;
    this.#waits = true;
    this.#enter();
  }

  end(): void {
    this.pause();
    this.#ended = true;
  }
}

function patientSink(sink: Sink, wait: Wait): Sink {
  return {
    start: (status, headers) => sink.start(status, headers),
    write: (chunk) => {
      const wantsMore = sink.write(chunk);
      if (!wantsMore) wait.pause();
      return wantsMore;
    },
    onDrain: (listener) =>
      sink.onDrain(() => {
        wait.resume();
        listener();
      }),
    end: () => sink.end(),
  };
}
