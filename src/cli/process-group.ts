import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { WorkerExit } from '../../machines/fleet-worker-setup.js';
import { hasCode } from '../errors.js';

/** The process of a worker, the first of a group of its own, whose output is read. */
export type WorkerChild = ChildProcessByStdio<null, Readable, Readable>;

/** How long what it said last may take to arrive: who has left its group may hold the pipes open for ever. */
const LAST_WORDS_MS = 500;

/**
 * Resolves when the process has ended and its output is read. Whom it has left in its group is killed: they would keep
 * ports and memory that the next one needs.
 */
export async function endOf(child: WorkerChild): Promise<WorkerExit> {
  const closed = once(child, 'close');
  closed.catch(() => {});
  await once(child, 'exit');
  signalGroup(child, 'SIGKILL');
  const enough = new AbortController();
  await Promise.race([closed, delay(LAST_WORDS_MS, undefined, enough).catch(() => {})]);
  enough.abort();
  child.stdout.destroy();
  child.stderr.destroy();
  return { code: child.exitCode, signal: child.signalCode };
}

/** Sends a signal to all of its group, if there still is anybody. */
export function signalGroup({ pid }: WorkerChild, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Of a group in which all are dead and nobody has asked how they ended some systems say EPERM.
    if (!hasCode(error, 'ESRCH', 'EPERM')) throw error;
  }
}
