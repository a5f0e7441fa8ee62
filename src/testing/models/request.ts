import { Changes } from './changes.js';

/** How a request ended: `aborted` is that the client went before its answer was whole, `cut` that the model did. */
export type Outcome = 'answered' | 'aborted' | 'cut';

/** What a fake model knows of one request. */
export interface ModelRequest {
  /** From 1. */
  readonly id: number;
  readonly method: string;
  /** With its query, as it was sent. */
  readonly path: string;
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** How many tokens were generated up to now. */
  readonly tokens: number;
  /** Undefined while it is under way. */
  readonly outcome: Outcome | undefined;
  readonly ended: Promise<Outcome>;
  /** Settles only if the client goes before its answer is whole. */
  readonly aborted: Promise<void>;
  /** Resolves when so many tokens were generated, and rejects when the request ends before. */
  untilTokens(count: number): Promise<void>;
}

export interface Received {
  readonly id: number;
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** The side of a request's record that the model writes. */
export class RequestRecord implements ModelRequest {
  readonly id: number;
  readonly method: string;
  readonly path: string;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly ended: Promise<Outcome>;
  readonly aborted: Promise<void>;
  readonly #changes = new Changes();
  #tokens = 0;
  #outcome: Outcome | undefined;

  constructor({ id, method, path, rawHeaders, body }: Received) {
    this.id = id;
    this.method = method;
    this.path = path;
    this.rawHeaders = rawHeaders;
    this.body = body;
    this.ended = this.#changes.until(() => this.#outcome);
    this.aborted = new Promise((resolve) => {
      void this.ended.then((outcome) => {
        if (outcome === 'aborted') resolve();
      });
    });
  }

  get tokens(): number {
    return this.#tokens;
  }

  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  async untilTokens(count: number): Promise<void> {
    const reached = () => this.#tokens >= count;
    await this.#changes.until(() => reached() || this.#outcome !== undefined || undefined);
    if (!reached()) throw new Error(`Request ${this.id} was ${this.#outcome} after ${this.#tokens} tokens.`);
  }

  generated(): void {
    this.#tokens++;
    this.#changes.changed();
  }

  /** Only the first end counts. */
  end(outcome: Outcome): void {
    this.#outcome ??= outcome;
    this.#changes.changed();
  }
}
