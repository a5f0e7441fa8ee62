import type { EventEmitter } from 'node:events';
import { EXIT } from './exit.js';
import type { Env } from './io.js';
import { onOrphaned } from './orphaned.js';

/** Under npm one key press arrives twice: from the terminal, and from npm. */
const SAME_KEY_PRESS_MS = 500;

/** Said again, they stop at once. */
const REPEATED = { SIGINT: EXIT.interrupted.code, SIGTERM: EXIT.terminated.code } as const;

export type StopSignal = keyof typeof REPEATED | 'SIGHUP';

export interface SignalHandlers {
  /** The first signal: stop in good order. */
  readonly stop: (signal: StopSignal) => void;
  /** A later one, or SIGQUIT: stop at once, with this exit code. */
  readonly stopAtOnce: (exitCode: number) => void;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** Where the signals come from. */
  readonly source: Pick<EventEmitter, 'on'>;
}

/**
 * Listens for Ctrl-C, SIGTERM and SIGHUP to the end of the process: the repeat of a key press may arrive when all has
 * stopped in good order, and must not kill the process then. A terminal that is closed may say SIGHUP several times,
 * and means no more by it.
 */
export function onSignals({ stop, stopAtOnce, now, source }: SignalHandlers): void {
  let firstAtMs: number | undefined;
  const hear = (signal: StopSignal, exitCode?: number) => {
    if (firstAtMs === undefined) {
      firstAtMs = now();
      stop(signal);
    } else if (exitCode !== undefined && now() - firstAtMs >= SAME_KEY_PRESS_MS) {
      stopAtOnce(exitCode);
    }
  };
  source.on('SIGINT', () => hear('SIGINT', REPEATED.SIGINT));
  source.on('SIGTERM', () => hear('SIGTERM', REPEATED.SIGTERM));
  source.on('SIGHUP', () => hear('SIGHUP'));
  source.on('SIGQUIT', () => stopAtOnce(EXIT.quit.code));
}

let asked: Promise<string> | undefined;

/**
 * Resolves when the process should stop in good order, with the reason: a signal, or who has started it is gone. A
 * second signal ends the process at once, and so does SIGQUIT. However often it is called, the process listens once.
 *
 * @param parentPid who has started it, where that is to be looked at
 */
export function untilAskedToStop(env: Env, parentPid?: number): Promise<string> {
  asked ??= listenToBeStopped(env, parentPid);
  return asked;
}

function listenToBeStopped(env: Env, parentPid: number | undefined): Promise<string> {
  return new Promise((resolve) => {
    onSignals({
      source: process,
      now: () => performance.now(),
      stop: (signal) => resolve(`${signal} was received`),
      stopAtOnce: (exitCode) => process.exit(exitCode),
    });
    if (parentPid !== undefined) {
      onOrphaned(parentPid, () => resolve(`process ${parentPid}, which has started it, is gone`));
    }
    // npm and npx hand SIGTERM to the shell that is between them and this process, and the shell dies of it
    // without telling anybody.
    if (env.npm_lifecycle_event !== undefined) onOrphaned(process.ppid, () => resolve('npm has gone'));
  });
}
