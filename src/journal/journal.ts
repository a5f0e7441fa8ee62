import type { RequestEvent } from '../../machines/events.js';
import type { Ledger } from '../../machines/ledger.js';
import type { Outbox } from '../../machines/outbox.js';
import { messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { JournalFile } from './journal-file.js';
import { accountsOf, changeBetween, NOTHING, type Present, type Snapshot, waitingIn } from './snapshot.js';
import { changeText, journalOf } from './text.js';

export interface JournalOptions {
  readonly path: string;
  readonly log: Log;
  /** What is true now. Both at the same moment: no request has ended for the one and not for the other. */
  readonly take: () => { readonly ledger: Ledger; readonly outbox: Outbox };
  /** Turns ms of the worker's monotonic clock into Unix seconds. */
  readonly unixSeconds: (atMs: number) => number;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

/** Half of the 500 ms that a crash may cost: the other half is for writing it. */
const FLUSH_MS = 250;
/** How long a disk that can't be written is left alone. */
const RETRY_MS = 5_000;
/** From this size on, and when it is mostly what has passed, the journal is written anew. */
const LEAST_REWRITE_BYTES = 256 * 1024;

/**
 * Keeps on the disk what must outlive a crash: what the autoscaler has not acknowledged, and what is in the worker.
 * Requests never wait for it. It writes at most one thing at a time; what changes meanwhile goes with the next.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #file: JournalFile;
  readonly #present = new Map<number, Present>();
  /** What the file holds. */
  #written: Snapshot = NOTHING;
  #bytes = { base: 0, added: 0 };
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  #writing: Promise<void> | undefined;
  #mustWriteAgain = false;
  #state: 'idle' | 'keeping' | 'ended' = 'idle';
  #isFailing = false;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#file = new JournalFile(options.path, (error) => this.#retryAfter(error));
  }

  /** Whether the disk could not be written the last time. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Takes the file over: from now on it is this worker's. */
  begin(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'keeping';
    this.#write();
  }

  /** Hears each request that comes, and how it ends. */
  note(event: RequestEvent): void {
    if (event.type === 'request.started') {
      const { id, kind, workload, requestIdx, atMs } = event;
      const enteredAt = this.#options.unixSeconds(atMs);
      this.#present.set(id, { id, kind, workload, requestIdx, enteredAt });
    } else if (event.type !== 'request.rejected') {
      this.#present.delete(event.id);
    }
    this.changed();
  }

  /** Something has changed: it is written within a while. */
  changed(): void {
    if (this.#state !== 'keeping') return;
    this.#timer ??= setTimeout(() => this.#write(), this.#isFailing ? RETRY_MS : FLUSH_MS).unref();
  }

  /** The autoscaler has acknowledged something: it is written as soon as all who hear of it have. */
  acknowledged(): void {
    if (this.#isFailing) this.changed();
    else if (this.#state === 'keeping') this.#soon ??= setImmediate(() => this.#write()).unref();
  }

  /** Writes what is left to be told, and lets go of the file. Hears nothing any more. */
  async end(): Promise<void> {
    if (this.#state !== 'keeping') return;
    this.#state = 'ended';
    this.#cancel();
    await this.#writing;
    await this.#keep(() => this.#rewrite(this.#take()));
    await this.#file.close();
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#soon);
    this.#timer = undefined;
    this.#soon = undefined;
  }

  #write(): void {
    this.#cancel();
    if (this.#writing !== undefined) {
      this.#mustWriteAgain = true;
      return;
    }
    this.#writing = this.#keep(() => this.#writeChange()).then(() => {
      this.#writing = undefined;
      if (!this.#mustWriteAgain) return;
      this.#mustWriteAgain = false;
      // It has waited for its time already; a disk that can't be written is given time.
      if (this.#isFailing) this.changed();
      else if (this.#state === 'keeping') this.#write();
    });
  }

  async #writeChange(): Promise<void> {
    const now = this.#take();
    if (!this.#file.isOpen || this.#isMostlyPast) return this.#rewrite(now);
    const change = changeBetween(this.#written, now);
    if (change === null) return;
    const text = changeText(change);
    await this.#file.add(text);
    this.#written = now;
    this.#bytes.added += text.length;
  }

  async #rewrite(now: Snapshot): Promise<void> {
    const text = journalOf(now);
    await this.#file.replace(text);
    this.#written = now;
    this.#bytes = { base: text.length, added: 0 };
  }

  get #isMostlyPast(): boolean {
    return this.#bytes.added > Math.max(LEAST_REWRITE_BYTES, 2 * this.#bytes.base);
  }

  #take(): Snapshot {
    const { take, unixSeconds, now } = this.#options;
    const { ledger, outbox } = take();
    return {
      takenAt: unixSeconds(now()),
      accounts: accountsOf(ledger),
      present: new Map(this.#present),
      waiting: waitingIn(outbox),
    };
  }

  /** Does something with the disk. That it fails, and that it works again, is told once. */
  async #keep(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#tellSuccess();
    } catch (error) {
      this.#retryAfter(error);
    }
  }

  #retryAfter(error: unknown): void {
    this.#tellFailure(error);
    this.changed();
  }

  #tellSuccess(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    const { log, path } = this.#options;
    log.info(`the journal ${path} is written again`, { event: 'journal.written' });
  }

  #tellFailure(error: unknown): void {
    if (this.#isFailing) return;
    this.#isFailing = true;
    const { log, path } = this.#options;
    const lost = 'a crash would lose what the autoscaler does not know yet';
    log.error(`the journal ${path} can not be written (${messageOf(error)}): ${lost}`, {
      event: 'journal.unwritable',
    });
  }
}
