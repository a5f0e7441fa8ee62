/** How a request ended. What it is called is one of few: the rows of a table. */
export type Outcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'failed'; readonly name: string }
  /** Given up by the tool itself, when it was stopped. */
  | { readonly kind: 'cut' };

/** What was seen of one request. All times are in ms after the start of the run. */
export class Sample {
  /** When it was to begin. Latencies count from here. */
  readonly dueMs: number;
  /** When it began. */
  readonly sentMs: number;
  /** When a worker was named, where one has to be found. */
  routedMs: number | null = null;
  firstByteMs: number | null = null;
  /** The worker that was asked last, where there are several. */
  worker: string | null = null;
  /** Units of work. */
  cost = 0;
  /** How often it was sent again. */
  retries = 0;
  /** How often there was no worker to send it to. */
  waits = 0;
  /** How many workers were in which state then, in the words of the autoscaler. */
  noWorkerStatus: string | null = null;
  /** Events of a stream. */
  events = 0;
  /** Of the answer's body. */
  bytes = 0;

  constructor(dueMs: number, sentMs: number) {
    this.dueMs = dueMs;
    this.sentMs = sentMs;
  }
}
