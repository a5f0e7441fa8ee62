import type { Outcome } from '../../machines/lifecycle.js';
import { messageOf } from '../errors.js';
import type { Ports } from '../http/front.js';
import type { Log } from '../log.js';
import type { Worker } from '../worker.js';
import { EXIT, UserError } from './exit.js';
import { onSignals } from './signals.js';

export interface Run {
  readonly worker: Worker;
  readonly log: Log;
  readonly onListening: (ports: Ports) => void;
}

/** Runs a worker until it has stopped, by a signal or by itself, and resolves with the exit code. */
export async function runWorker({ worker, log, onListening }: Run): Promise<number> {
  const off = onSignals({
    now: () => performance.now(),
    stop: (signal) => void worker.stop(`${signal} was received`).catch(() => {}),
    stopAtOnce: (exitCode) => process.exit(exitCode),
  });
  const offErrors = onUncaught(worker, log);
  try {
    onListening(await worker.start().catch(explainStart));
    const outcome = await worker.stopped;
    return offErrors() ? EXIT.failed.code : exitCodeOf(outcome);
  } finally {
    off();
  }
}

function exitCodeOf(outcome: Outcome): number {
  return outcome === 'cut' ? EXIT.cut.code : EXIT.ok.code;
}

/** What nobody caught leaves the process in doubt: it is logged, and the worker drains and ends. */
function onUncaught(worker: Worker, log: Log): () => boolean {
  let caught = false;
  const handle = (error: unknown) => {
    caught = true;
    log.error(`uncaught: ${error instanceof Error ? error.stack : messageOf(error)}`, { event: 'uncaught' });
    worker.stop('an error was not caught').catch(() => {});
  };
  process.on('uncaughtException', handle);
  process.on('unhandledRejection', handle);
  return () => {
    process.off('uncaughtException', handle);
    process.off('unhandledRejection', handle);
    return caught;
  };
}

function explainStart(error: NodeJS.ErrnoException & { port?: number; address?: string }): never {
  const where = `${error.address}:${error.port}`;
  if (error.code === 'EADDRINUSE') {
    throw new UserError(
      `${where} is taken by another program; stop it, or choose another with WORKER_PORT or WORKER_HTTP_PORT.`,
      EXIT.failed.code,
    );
  }
  if (error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL') {
    throw new UserError(`can not listen on ${where}: ${error.message}`, EXIT.failed.code);
  }
  throw new UserError(messageOf(error), EXIT.failed.code);
}
