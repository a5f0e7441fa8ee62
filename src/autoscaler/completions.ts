import {
  type CompletionCounts,
  type CompletionsMessage,
  countFinished,
  type FinishedRequest,
  NONE_FINISHED,
} from './finished.js';

/** One finished request that was told and counted. */
export interface CompletionRecord extends FinishedRequest {
  /** 1 for the first completion of this autoscaler, then one more each. */
  readonly sequence: number;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  readonly workerId: number;
  readonly form: CompletionsMessage['form'];
  /** Told before: the worker had lost the answer. It is not counted again. */
  readonly duplicate: boolean;
}

/** What one worker's requests came to. */
export interface WorkerCompletions extends CompletionCounts {
  readonly duplicates: number;
}

export const NO_COMPLETIONS: WorkerCompletions = { ...NONE_FINISHED, duplicates: 0 };

export interface CompletionLimits {
  /** Completions that are kept to be shown. */
  readonly maxRecords: number;
  /** Completions that are recognised when they are told again. */
  readonly maxKnown: number;
  readonly maxWorkers: number;
}

const DEFAULT_LIMITS: CompletionLimits = { maxRecords: 10_000, maxKnown: 20_000, maxWorkers: 500 };

/** The finished requests that workers told: counted by worker, and the last of them kept. */
export class Completions {
  readonly #limits: CompletionLimits;
  readonly #byWorker = new Map<number, WorkerCompletions>();
  readonly #known = new Set<string>();
  #records: CompletionRecord[] = [];
  #told = 0;
  #duplicates = 0;

  constructor(limits: Partial<CompletionLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** How many were told, how many of them again, and how many are no longer in the list. */
  get totals(): { readonly told: number; readonly duplicates: number; readonly dropped: number } {
    return { told: this.#told, duplicates: this.#duplicates, dropped: this.#told - this.#records.length };
  }

  of(workerId: number): WorkerCompletions {
    return this.#byWorker.get(workerId) ?? NO_COMPLETIONS;
  }

  /**
   * Takes one in. `isOpen`: the request is with this worker and not finished as far as is known, so
   * that in the older form, which has no times to tell two apart, it can not be a repetition.
   */
  take(
    message: CompletionsMessage,
    request: FinishedRequest,
    receivedAt: string,
    isOpen: boolean,
  ): CompletionRecord {
    const { id: workerId, form } = message;
    const key = keyOf(workerId, request);
    const duplicate = this.#known.has(key) && !(form === 'request_idxs' && isOpen);
    this.#remember(key);
    this.#count(workerId, request, duplicate);
    this.#told += 1;
    const record = { sequence: this.#told, receivedAt, workerId, form, duplicate, ...request };
    this.#records.push(record);
    if (this.#records.length > this.#limits.maxRecords) this.#records.shift();
    return record;
  }

  /** The last ones, newest last. */
  latest(): readonly CompletionRecord[] {
    return [...this.#records];
  }

  #count(workerId: number, { status }: FinishedRequest, duplicate: boolean): void {
    const before = this.of(workerId);
    const after = duplicate
      ? { ...before, duplicates: before.duplicates + 1 }
      : { ...countFinished(before, status), duplicates: before.duplicates };
    if (duplicate) this.#duplicates += 1;
    this.#byWorker.set(workerId, after);
    if (this.#byWorker.size > this.#limits.maxWorkers) dropOldest(this.#byWorker);
  }

  #remember(key: string): void {
    this.#known.add(key);
    if (this.#known.size > this.#limits.maxKnown) dropOldest(this.#known);
  }
}

/** Two requests may have one `request_idx`; then their times tell them apart. */
function keyOf(workerId: number, request: FinishedRequest): string {
  const { request_idx, status, entered_queue_at, work_started_at, work_completed_at } = request;
  return [workerId, request_idx, status, entered_queue_at, work_started_at, work_completed_at].join(' ');
}

/** Maps and sets keep the order in which their entries came. */
function dropOldest<Key>(entries: { keys(): Iterator<Key>; delete(key: Key): boolean }): void {
  const oldest = entries.keys().next();
  if (oldest.done !== true) entries.delete(oldest.value);
}
