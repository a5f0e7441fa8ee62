import type { ActorRefFrom } from 'xstate';
import type { completionsMachine } from '../machines/completions.js';
import type { RequestEvent } from '../machines/events.js';
import { type Account, holdsWork, type Ledger } from '../machines/ledger.js';
import type { MetricsActor } from '../machines/metrics.js';
import type { Completion } from '../machines/outbox.js';
import { LOADING } from '../machines/reports.js';
import type { Bus } from './bus.js';
import { childOf, type Lifecycle, tellReporter } from './children.js';
import { completionOf } from './completion.js';
import type { Dialect } from './dialects/dialect.js';
import { Gathering } from './gathering.js';
import { Journal } from './journal/journal.js';
import type { NextLife } from './journal/next-life.js';
import type { Log } from './log.js';
import { Settle } from './settle.js';
import { unixClock } from './unix-seconds.js';

const GATHER_MS = 20;

const WORK_IS_DUE = { type: 'work.due' } as const;

export interface BookkeepingOptions {
  readonly bus: Bus;
  readonly lifecycle: Lifecycle;
  /** Null: this worker reports to nobody. */
  readonly dialect: Dialect | null;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly log: Log;
  /** What the worker begins with. */
  readonly life: NextLife;
  /** Where it is kept what must outlive a crash; null: nowhere. */
  readonly journalPath: string | null;
}

/**
 * Hears of each request over the bus and has it told: in bundles to the ledger and to the outbox of finished
 * requests, and after a while to the reporter, as work that is due. An event costs an actor several microseconds, and
 * a bundle no more; whoever reads the books has them brought up to date first.
 */
export class Bookkeeping {
  /** The accounts of the ledger that the autoscaler is told of the work at all. */
  readonly accounts: readonly Account[];
  readonly #happened: Gathering<RequestEvent>;
  readonly #settle: Settle | null;
  readonly #stopListening: () => void;
  /** Goes on after that: what is acknowledged at the very end need not be told by the next life. */
  readonly #stopHearingAnswers: () => void;
  readonly #journal: Journal | null;
  readonly #options: BookkeepingOptions;
  // Held, since a lifecycle that has stopped knows its children no more.
  readonly #metrics: MetricsActor;
  readonly #outbox: ActorRefFrom<typeof completionsMachine>;

  constructor(options: BookkeepingOptions) {
    const { bus, lifecycle, dialect, now } = options;
    this.#options = options;
    const [metrics, outbox] = [childOf(lifecycle, 'metrics'), childOf(lifecycle, 'completions')];
    this.#metrics = metrics;
    this.#outbox = outbox;
    const unixSeconds = unixClock(now);
    const { settleMs = null, tellsRequests = false } = dialect ?? {};
    this.accounts = dialect?.accounts('work', { ...LOADING, phase: 'loaded' }) ?? [];
    this.#happened = new Gathering(GATHER_MS, (events) => {
      metrics.send({ type: 'requests.happened', events });
      const completions = tellsRequests ? completionsOf(events, unixSeconds) : [];
      if (completions.length > 0) outbox.send({ type: 'requests.finished', completions });
    });
    const tell = () => tellReporter(lifecycle, WORK_IS_DUE);
    this.#settle = settleMs === null ? null : new Settle(settleMs, tell);
    this.#stopListening = bus.on('request', (event: RequestEvent) => {
      this.#happened.add(event);
      this.#settle?.changed();
      this.#journal?.note(event);
    });
    this.#journal = this.#createJournal(unixSeconds);
    this.#stopHearingAnswers = this.#hearAnswers(bus);
  }

  /** Takes up what the last life has left. To be called once the lifecycle has started. */
  open(): void {
    const { log, life } = this.#options;
    const { untold: completions, died } = life;
    if (died > 0) {
      const message = `the worker before ended with ${died} requests or sessions in it, which count as failed`;
      log.warn(message, { event: 'journal.died', died });
    }
    if (completions.length > 0) this.#outbox.send({ type: 'requests.finished', completions });
    this.#journal?.begin();
  }

  /** Up to this moment: what was gathered for it is handed over first. */
  ledger(): Ledger {
    this.flush();
    return this.#metrics.getSnapshot().context.ledger;
  }

  /** Has everything told that came until now. */
  flush(): void {
    this.#happened.flush();
  }

  /** Has the reporter tell at once what the autoscaler does not know of the work, if there is anything. */
  tellNow(): void {
    // That a request has ended need not show in the ledger: what is in the worker now is told too.
    this.#settle?.flush();
    if (holdsWork(this.ledger(), this.accounts)) tellReporter(this.#options.lifecycle, WORK_IS_DUE);
  }

  /** Hears of nothing any more. */
  stop(): void {
    this.#stopListening();
    this.#settle?.stop();
  }

  /** Leaves to the next life what the autoscaler does not know. */
  async close(): Promise<void> {
    this.stop();
    await this.#journal?.end();
    this.#stopHearingAnswers();
  }

  #createJournal(unixSeconds: (atMs: number) => number): Journal | null {
    const { journalPath: path, log, now } = this.#options;
    if (path === null) return null;
    // The ledger first: to read it brings both up to date.
    const take = () => ({ ledger: this.ledger(), outbox: this.#outbox.getSnapshot().context.outbox });
    return new Journal({ path, log, now, unixSeconds, take });
  }

  #hearAnswers(bus: Bus): () => void {
    const stops = [
      bus.on('report', ({ type }) => {
        if (type === 'report.delivered') this.#journal?.acknowledged();
      }),
      bus.on('completions', ({ type }) => {
        if (type === 'completions.delivered') this.#journal?.acknowledged();
        if (type === 'completions.dropped' || type === 'completions.refused') this.#journal?.changed();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }
}

function completionsOf(
  events: readonly RequestEvent[],
  unixSeconds: (atMs: number) => number,
): readonly Completion[] {
  return events.flatMap((event) => completionOf(event, unixSeconds) ?? []);
}
