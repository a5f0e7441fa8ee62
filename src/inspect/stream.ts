import type { ServerResponse } from 'node:http';
import type { Sample, StreamEvents } from './contract.js';
import type { Moments } from './moments.js';
import type { Kept } from './ring.js';
import type { Reader, Source } from './source.js';

export interface StreamOptions {
  readonly source: Source;
  /** Of the same source, and the same for all who look at it. */
  readonly moments: Moments;
  readonly response: ServerResponse;
  /** What is told is what has happened after this one; undefined: from now on. */
  readonly after: number | undefined;
  readonly wantsRequests: boolean;
  /** How often a reader is told that the worker is there, when nothing else is told. */
  readonly heartbeatMs?: number;
}

export const STREAM_HEAD = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  // Else nginx would gather what is to be seen at once.
  'X-Accel-Buffering': 'no',
} as const;

const GATHER_MS = 50;
const NOW_PAUSE_MS = 500;
const HEARTBEAT_MS = 15_000;
/** Of the happenings that are written at once. */
const BATCH_CHARACTERS = 64 * 1024;
/** A reader that takes nothing for so many heartbeats is cut. */
const PATIENCE = 4;

/**
 * Tells one reader what happens, as server-sent events. Nothing waits here to be sent: what is new is fetched when the
 * reader has taken what it was sent before, so that a slow one misses what is no longer kept and costs no memory.
 */
export class Stream implements Reader {
  readonly wantsRequests: boolean;
  readonly #source: Source;
  readonly #moments: Moments;
  readonly #response: ServerResponse;
  #seq: number;
  #line: number;
  #sample: Sample | undefined;
  #shown = '';
  /** The last stay that was told; undefined: nothing was. */
  #stay: number | undefined;
  #mayShowAtMs = 0;
  #gathering: NodeJS.Timeout | undefined;
  #showing: NodeJS.Timeout | undefined;
  #beating: NodeJS.Timeout | undefined;
  #missedBeats = 0;
  #leave = () => {};

  constructor({
    source,
    moments,
    response,
    after,
    wantsRequests,
    heartbeatMs = HEARTBEAT_MS,
  }: StreamOptions) {
    this.#source = source;
    this.#moments = moments;
    this.#response = response;
    this.wantsRequests = wantsRequests;
    const { seq, line } = moments.fresh();
    // A number from the life before would never be reached.
    this.#seq = after === undefined || after > seq ? seq : after;
    this.#line = line;
    this.#open(heartbeatMs);
  }

  onNews(): void {
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.#tell();
    }, GATHER_MS);
  }

  onSample(sample: Sample): void {
    this.#sample = sample;
    this.onNews();
  }

  onEnd(): void {
    clearTimeout(this.#showing);
    this.#showing = undefined;
    this.#mayShowAtMs = 0;
    this.#tell();
    this.#close();
    this.#response.end();
  }

  #open(heartbeatMs: number): void {
    this.#response.writeHead(200, STREAM_HEAD);
    this.#leave = this.#source.subscribe(this);
    this.#response.on('close', () => this.#close());
    this.#response.on('drain', () => this.onNews());
    this.#beating = setInterval(() => this.#beat(), heartbeatMs).unref();
    this.#show();
    this.#tell();
  }

  #close(): void {
    this.#leave();
    clearTimeout(this.#gathering);
    clearTimeout(this.#showing);
    clearInterval(this.#beating);
  }

  get #isTaken(): boolean {
    return !this.#response.writableNeedDrain;
  }

  /** Sends what is new, as far as the reader takes it. */
  #tell(): void {
    this.#tellHappenings();
    if (!this.#isTaken) return;
    const { last, lines } = this.#source.linesAfter(this.#line);
    this.#line = last;
    if (lines.length > 0) this.#send('log', JSON.stringify(lines));
    if (this.#sample !== undefined) this.#send('sample', JSON.stringify(this.#sample));
    this.#sample = undefined;
    this.#show();
  }

  #tellHappenings(): void {
    const fresh = this.#source.after(this.#seq);
    for (let from = 0; from < fresh.length && this.#isTaken; ) {
      const to = endOfBatch(fresh, from);
      const batch = fresh.slice(from, to).filter(({ ofRequest }) => this.wantsRequests || !ofRequest);
      this.#seq = fresh[to - 1]?.seq ?? this.#seq;
      if (batch.length > 0) this.#send('happened', `[${batch.map(({ text }) => text).join()}]`);
      from = to;
    }
  }

  /** Sends how the worker is, if that has changed, and not too often. */
  #show(): void {
    if (this.#showing !== undefined || !this.#isTaken) return;
    const waitMs = this.#mayShowAtMs - Date.now();
    if (waitMs > 0) {
      this.#showing = setTimeout(() => {
        this.#showing = undefined;
        this.#show();
      }, waitMs);
      return;
    }
    // At the same times for all, so that what one is shown is what the others are.
    this.#mayShowAtMs = (Math.floor(Date.now() / NOW_PAUSE_MS) + 1) * NOW_PAUSE_MS;
    const moment = this.#moments.since(this.#seq);
    if (moment.mark === this.#shown) return;
    this.#shown = moment.mark;
    this.#send('now', this.#stay === undefined ? moment.whole : moment.after(this.#stay));
    this.#stay = moment.stay;
  }

  #beat(): void {
    this.#missedBeats = this.#isTaken ? 0 : this.#missedBeats + 1;
    if (this.#missedBeats >= PATIENCE) this.#response.destroy();
    else if (this.#isTaken) this.#response.write(': still here\n\n');
  }

  #send(event: keyof StreamEvents, data: string): void {
    this.#response.write(`event: ${event}\nid: ${this.#seq}\ndata: ${data}\n\n`);
  }
}

function endOfBatch(fresh: readonly Kept[], from: number): number {
  let [to, characters] = [from, 0];
  while (to < fresh.length && (to === from || characters < BATCH_CHARACTERS)) {
    characters += fresh[to]?.text.length ?? 0;
    to += 1;
  }
  return to;
}
