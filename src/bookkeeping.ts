import type { RequestEvent } from '../machines/events.js';
import type { Completion } from '../machines/outbox.js';
import type { Bus } from './bus.js';
import { childOf, type Lifecycle } from './children.js';
import { completionOf } from './completion.js';
import type { Dialect } from './dialects/dialect.js';
import { Gathering } from './gathering.js';
import { Settle } from './settle.js';
import { unixClock } from './unix-seconds.js';

const GATHER_MS = 20;

export interface BookkeepingOptions {
  readonly bus: Bus;
  readonly lifecycle: Lifecycle;
  /** Null: this worker reports to nobody. */
  readonly dialect: Dialect | null;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

/**
 * Hears of each request over the bus and has it told: in bundles to the ledger and to the outbox of finished
 * requests, and after a while to the reporter, as work that is due. An event costs an actor several microseconds, and
 * a bundle no more; whoever reads the books has them brought up to date first.
 */
export class Bookkeeping {
  readonly #happened: Gathering<RequestEvent>;
  readonly #settle: Settle | null;
  readonly #stopListening: () => void;

  constructor({ bus, lifecycle, dialect, now }: BookkeepingOptions) {
    const [metrics, outbox] = [childOf(lifecycle, 'metrics'), childOf(lifecycle, 'completions')];
    const unixSeconds = unixClock(now);
    const { settleMs = null, tellsRequests = false } = dialect ?? {};
    this.#happened = new Gathering(GATHER_MS, (events) => {
      metrics.send({ type: 'requests.happened', events });
      const completions = tellsRequests ? completionsOf(events, unixSeconds) : [];
      if (completions.length > 0) outbox.send({ type: 'requests.finished', completions });
    });
    this.#settle = settleMs === null ? null : new Settle(settleMs, () => tellReporter(lifecycle));
    this.#stopListening = bus.on('request', (event: RequestEvent) => {
      this.#happened.add(event);
      this.#settle?.changed();
    });
  }

  /** Has everything told that came until now. */
  flush(): void {
    this.#happened.flush();
  }

  /** Hears of nothing any more. */
  stop(): void {
    this.#stopListening();
    this.#settle?.stop();
  }
}

function completionsOf(
  events: readonly RequestEvent[],
  unixSeconds: (atMs: number) => number,
): readonly Completion[] {
  return events.flatMap((event) => completionOf(event, unixSeconds) ?? []);
}

function tellReporter(lifecycle: Lifecycle): void {
  const { children, status } = lifecycle.getSnapshot();
  if (status === 'active') children.reporter?.send({ type: 'work.due' });
}
