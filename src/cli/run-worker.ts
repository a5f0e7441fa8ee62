import type { Outcome } from '../../machines/life.js';
import type { Config } from '../config/index.js';
import { hasCode, messageOf } from '../errors.js';
import type { Ports } from '../http/ports.js';
import type { Log } from '../log.js';
import type { Worker } from '../worker.js';
import { EXIT, UserError } from './exit.js';
import type { Env } from './io.js';
import { untilAskedToStop } from './signals.js';

export interface Run {
  readonly worker: Worker;
  readonly config: Config;
  readonly log: Log;
  readonly env: Env;
  readonly onListening: (ports: Ports) => void;
}

/** Runs a worker until it has stopped, by a signal or by itself, and resolves with the exit code. */
export async function runWorker({ worker, config, log, env, onListening }: Run): Promise<number> {
  const stop = (reason: string) => void worker.stop(reason).catch(() => {});
  void untilAskedToStop(env, config.parentPid).then(stop);
  const uncaught = watchUncaught(log, () => stop('an error was not caught'));
  const ports = await worker.start().catch((error) => {
    throw new UserError(
      explain(error, config),
      hasCode(error, 'EADDRINUSE') ? EXIT.portTaken.code : EXIT.failed.code,
    );
  });
  onListening(ports);
  const outcome = await worker.stopped;
  if (uncaught.any) return EXIT.failed.code;
  return worker.endsForUpdate ? EXIT.update.code : exitCodeOf(outcome);
}

function exitCodeOf(outcome: Outcome): number {
  return outcome === 'cut' ? EXIT.cut.code : EXIT.ok.code;
}

/** What nobody caught leaves the process in doubt: it is logged, and the worker drains and ends. */
function watchUncaught(log: Log, stop: () => void): { readonly any: boolean } {
  const seen = { any: false };
  const handle = (error: unknown) => {
    seen.any = true;
    log.error(`uncaught: ${error instanceof Error ? error.stack : messageOf(error)}`, { event: 'uncaught' });
    stop();
  };
  process.on('uncaughtException', handle);
  process.on('unhandledRejection', handle);
  return seen;
}

/** Why a worker could not start, and what to change. */
function explain(error: NodeJS.ErrnoException & { address?: string; port?: number }, config: Config): string {
  const { code = '', syscall = '', address = config.host, port } = error;
  if (code === 'EADDRINUSE') {
    const option =
      port === config.workerPort ? '--port or WORKER_PORT' : '--internal-port or WORKER_HTTP_PORT';
    return `${address}:${port} is taken by another program; stop it, or choose another port with ${option}.`;
  }
  if (syscall === 'listen' || syscall === 'getaddrinfo') {
    return `can not listen on ${address}: ${messageOf(error)}; choose another address with --host, or another port with --port.`;
  }
  return messageOf(error);
}
