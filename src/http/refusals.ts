import { ERRORS, type ErrorCode, messageOf, type WorkerError } from '../errors.js';
import { firstLineOf } from '../first-line.js';
import type { Log } from '../log.js';
import { Tally } from '../tally.js';

const PERIOD_MS = 10_000;

const MODEL_ERRORS: ReadonlySet<ErrorCode> = new Set(['model_failed', 'model_gone', 'model_timeout']);
const CAUSE_MATTERS: ReadonlySet<ErrorCode> = new Set([...MODEL_ERRORS, 'backend_error']);

const MOST_KINDS = 100;
const LONGEST_REASON = 120;

/** Logs what clients were refused, and what failed for them, without letting them flood the log. */
export class Refusals {
  readonly #log: Log;
  readonly #tally: Tally<(log: Log) => void>;
  readonly #kinds = new Set<string>();
  readonly #unusableWorkloads = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
    this.#tally = new Tally({
      periodMs: PERIOD_MS,
      first: (tell) => tell(log),
      summary: (counts, periodMs) =>
        log.info(`and within ${periodMs / 1000} s, not told one by one: ${inWords(counts)}`, {
          refused: counts,
        }),
    });
  }

  /**
   * An error that a client was told. What the client itself wrote may stand in the message, so the log gets
   * the text of the table. An error of the backend's own comes with its stack, one of the model server or of the
   * update file with its cause; each cause is told by itself, since one may hide behind another.
   */
  error({ code, status, message, cause }: WorkerError): void {
    const fields = { event: 'request.refused', code, status };
    const reason = CAUSE_MATTERS.has(code) ? firstLineOf(messageOf(cause ?? message)) : '';
    this.#tally.note(this.#kindOf(code, reason), (log) => {
      if (MODEL_ERRORS.has(code)) log.warn(`answered ${status} ${code}: ${reason}`, { ...fields, reason });
      else if (code === 'backend_error') log.error(`the backend failed: ${stackOf(cause)}`, fields);
      else if (code === 'update_failed') log.error(`can not make ready for an update: ${message}`, fields);
      else log.info(`refused a request with ${status} ${code}: ${ERRORS[code].message}`, fields);
    });
  }

  /** Of one code so many reasons are told apart, so that what changes with each request can't fill the memory. */
  #kindOf(code: ErrorCode, reason: string): string {
    if (reason === '') return code;
    const kind = `${code} (${reason.slice(0, LONGEST_REASON)})`;
    if (!this.#kinds.has(kind) && this.#kinds.size >= MOST_KINDS) return code;
    this.#kinds.add(kind);
    return kind;
  }

  /** A workload function that gave no usable number: told once for each path. */
  workload(path: string, problem: string): void {
    if (this.#unusableWorkloads.has(path)) return;
    this.#unusableWorkloads.add(path);
    this.#log.warn(`the workload of ${path} is not usable, so the default is counted: ${problem}`, {
      event: 'workload.unusable',
      path,
      problem,
    });
  }

  /** A request that is not signed, where that is allowed for the sake of older clients. */
  unsigned(): void {
    this.#tally.note('unsigned', (log) =>
      log.info(
        'served a request that is not signed, as older clients send it; TSWORKER_REQUIRE_SIGNATURE=true refuses them',
        { event: 'request.unsigned' },
      ),
    );
  }

  /** A client that was cut because it took nothing of its answer for so long. */
  stuck(timeoutMs: number): void {
    this.#tally.note('client_timeout', (log) =>
      log.warn(
        `cut a client that took nothing of its answer for ${timeoutMs / 1000} s (TSWORKER_CLIENT_TIMEOUT)`,
        { event: 'client.stuck', timeoutMs },
      ),
    );
  }

  /** A connection that was closed, since clients have as many as they may. */
  crowded(maxConnections: number): void {
    this.#tally.note('connection_closed', (log) =>
      log.warn(
        `closed a connection: clients have ${maxConnections}, which is all that the limit of file descriptors allows (ulimit -n)`,
        { event: 'clients.crowded', maxConnections },
      ),
    );
  }

  flush(): void {
    this.#tally.flush();
  }
}

function inWords(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ');
}

function stackOf(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? messageOf(cause)) : messageOf(cause);
}
