import type { ReadinessEvent } from '../../machines/readiness-facts.js';
import type { CompiledModel } from '../backend/index.js';
import type { Log } from '../log.js';
import { compileRules } from './rules.js';
import { tailLog } from './tail.js';

export interface HearLinesOptions {
  readonly model: CompiledModel;
  readonly log: Log;
  readonly tell: (event: ReadinessEvent) => void;
}

export interface WatchLogOptions extends HearLinesOptions {
  readonly signal: AbortSignal;
}

/** How much of a line of the model's log is passed on. */
const TOLD_CHARACTERS = 500;

/** Watches the model server's log for the lines that mean something, until the signal is aborted. */
export function watchLog({ signal, ...options }: WatchLogOptions): Promise<void> {
  const { model, log } = options;
  return tailLog({
    path: model.log ?? '',
    signal,
    onProblem: (problem) => log.warn(`the model's log: ${problem}`, { event: 'model.log.problem', problem }),
    onLine: hearLines(options),
  });
}

/** Hears the lines of the model server, one by one, and tells what those mean that mean something. */
export function hearLines({ model, log, tell }: HearLinesOptions): (line: string) => void {
  const meaningOf = compileRules(model.logs);
  return (line) => {
    tell({ type: 'log.progress' });
    const meaning = meaningOf(line);
    if (meaning === null) return;
    const said = line.slice(0, TOLD_CHARACTERS);
    if (meaning === 'loaded') tell({ type: 'log.loaded' });
    if (meaning === 'failed') tell({ type: 'log.failed', line: said });
    const level = meaning === 'failed' ? 'warn' : 'info';
    log[level](`the model server said: ${said}`, { event: `model.log.${meaning}` });
  };
}
