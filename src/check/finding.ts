import type { Backend } from '../backend/index.js';
import type { Config } from '../config/index.js';

/** ok; warning: the worker starts, but something may be missing; fatal: it could not start, or not be used. */
export type Level = 'ok' | 'warning' | 'fatal';

/** What was found about one thing. */
export interface Finding {
  /** The name of the check. */
  readonly check: string;
  readonly level: Level;
  /** A sentence for people, without secrets. */
  readonly found: string;
  /** What to change; null: nothing. */
  readonly change: string | null;
}

/** What is checked: a worker as it would start. */
export interface Subject {
  readonly config: Config;
  /** As configured; null: it could not be loaded. */
  readonly backend: Backend | null;
  /** Whether the autoscaler is told anything. */
  readonly reports: boolean;
  /** Whether requests must be signed, so that the public key is needed. */
  readonly needsKey: boolean;
  /** Where the worker finds the programs that it runs. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Found = Omit<Finding, 'check'>;

export interface Check {
  readonly name: string;
  /** May reject, which is a warning; the signal is aborted when its time is over. */
  readonly look: (subject: Subject, signal: AbortSignal) => Promise<readonly Found[]>;
}

export const ok = (found: string): Found => ({ level: 'ok', found, change: null });
export const warning = (found: string, change: string): Found => ({ level: 'warning', found, change });
export const fatal = (found: string, change: string): Found => ({ level: 'fatal', found, change });
