import type { ReadinessEvent } from '../../machines/readiness-facts.js';
import type { CompiledModel } from '../backend/index.js';
import type { Log } from '../log.js';
import { beginningOf, type Redact } from '../redact.js';
import { Backlog, TOLD_CHARACTERS } from './backlog.js';
import { compileRules } from './rules.js';
import { tailLog } from './tail.js';

export interface HearLinesOptions {
  readonly model: CompiledModel;
  readonly log: Log;
  readonly tell: (event: ReadinessEvent) => void;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly redact: Redact;
  /** Hears each line, whatever it means. Must not throw. */
  readonly onLine?: (line: string) => void;
}

export interface WatchLogOptions extends HearLinesOptions {
  readonly signal: AbortSignal;
}

/** How often it is told at most that there are new lines: an engine may write thousands of them a second. */
const PROGRESS_PAUSE_MS = 100;

/** Watches the model server's log for the lines that mean something, until the signal is aborted. */
export function watchLog({ signal, ...options }: WatchLogOptions): Promise<void> {
  const { model, log } = options;
  const backlog = new Backlog(options);
  const hear = hearLines(options);
  return tailLog({
    path: model.log ?? '',
    signal,
    onProblem: (problem) => log.warn(`the model's log: ${problem}`, { event: 'model.log.problem', problem }),
    onLine: (line, isOld) => (isOld ? backlog.hear(line) : hear(line)),
    onCaughtUp: () => backlog.end(),
  });
}

/** Hears the lines of the model server, one by one, and tells what those mean that mean something. */
export function hearLines({
  model,
  log,
  tell,
  now,
  redact,
  onLine = () => {},
}: HearLinesOptions): (line: string) => void {
  const meaningOf = compileRules(model.logs);
  const tellProgress = atMostEvery(PROGRESS_PAUSE_MS, now, () => tell({ type: 'log.progress' }));
  return (line) => {
    tellProgress();
    onLine(line);
    const meaning = meaningOf(line);
    if (meaning === null) return;
    const said = beginningOf(line, TOLD_CHARACTERS, redact);
    if (meaning === 'loaded') tell({ type: 'log.loaded' });
    if (meaning === 'failed') tell({ type: 'log.failed', line: said });
    const level = meaning === 'failed' ? 'warn' : 'info';
    log[level](`the model server said: ${said}`, { event: `model.log.${meaning}` });
  };
}

/** What is called sooner after it has acted does nothing. */
function atMostEvery(pauseMs: number, now: () => number, act: () => void): () => void {
  let nextMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = now();
    if (nowMs < nextMs) return;
    nextMs = nowMs + pauseMs;
    act();
  };
}
