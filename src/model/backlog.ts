import type { ReadinessEvent } from '../../machines/readiness-facts.js';
import type { CompiledModel } from '../backend/index.js';
import type { Log } from '../log.js';
import { beginningOf, type Redact } from '../redact.js';
import { compileRules } from './rules.js';

export interface BacklogOptions {
  readonly model: CompiledModel;
  readonly log: Log;
  readonly tell: (event: ReadinessEvent) => void;
  readonly redact: Redact;
}

/** How much of a line of the model's log is passed on. */
export const TOLD_CHARACTERS = 500;

/**
 * The lines that stood in the model's log before the worker watched it.
 *
 * Such a log may hold many runs, and the worker may have been started anew beside a model that has long been loaded.
 * So the last line that says how a load ended counts, and only that one is passed on. If it says that the model has
 * loaded, it has, as far as the log can tell. If it says that it failed, that run is over; the one that is under way
 * has not failed for that.
 */
export class Backlog {
  readonly #options: BacklogOptions;
  readonly #meaningOf: ReturnType<typeof compileRules>;
  #last: { readonly hasLoaded: boolean; readonly line: string } | null = null;
  #everLoaded = false;

  constructor(options: BacklogOptions) {
    this.#options = options;
    this.#meaningOf = compileRules(options.model.logs);
  }

  hear(line: string): void {
    const meaning = this.#meaningOf(line);
    if (meaning !== 'loaded' && meaning !== 'failed') return;
    const hasLoaded = meaning === 'loaded';
    this.#everLoaded ||= hasLoaded;
    this.#last = { hasLoaded, line };
  }

  /** Tells what they come to: there are no more of them. */
  end(): void {
    if (this.#last === null) return;
    const { log, tell, redact } = this.#options;
    const { hasLoaded, line } = this.#last;
    const said = beginningOf(line, TOLD_CHARACTERS, redact);
    const sentence = `the model server said before the worker began: ${said}`;
    if (hasLoaded) log.info(sentence, { event: 'model.log.loaded' });
    else log.warn(sentence, { event: 'model.log.failed' });
    if (hasLoaded || this.#isForHealthToSay()) tell({ type: 'log.loaded' });
    else tell({ type: 'log.hadFailed', line: said });
  }

  /** What looks like a failure once the model has loaded may be of one request, which the health route can tell. */
  #isForHealthToSay(): boolean {
    return this.#everLoaded && this.#options.model.health !== null;
  }
}
