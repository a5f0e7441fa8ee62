import type { Outcome } from '../../machines/lifecycle.js';
import type { Config } from '../config/index.js';
import { messageOf } from '../errors.js';
import type { Ports } from '../http/front.js';
import type { Log } from '../log.js';
import type { Worker } from '../worker.js';
import { EXIT, UserError } from './exit.js';
import { untilSignalled } from './signals.js';

export interface Run {
  readonly worker: Worker;
  readonly config: Config;
  readonly log: Log;
  readonly onListening: (ports: Ports) => void;
}

/** Runs a worker until it has stopped, by a signal or by itself, and resolves with the exit code. */
export async function runWorker({ worker, config, log, onListening }: Run): Promise<number> {
  const stop = (reason: string) => void worker.stop(reason).catch(() => {});
  untilSignalled().then((signal) => stop(`${signal} was received`));
  const uncaught = watchUncaught(log, () => stop('an error was not caught'));
  onListening(await worker.start().catch((error: unknown) => explainStart(error, config)));
  const outcome = await worker.stopped;
  return uncaught.any ? EXIT.failed.code : exitCodeOf(outcome);
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

function explainStart(
  error: NodeJS.ErrnoException & { address?: string; port?: number },
  config: Config,
): never {
  const { code = '', address, port } = error;
  throw new UserError(explanation(), EXIT.failed.code);

  function explanation(): string {
    const isForClients = port === config.workerPort;
    if (code === 'EADDRINUSE') {
      const option = isForClients ? '--port or WORKER_PORT' : '--internal-port or WORKER_HTTP_PORT';
      return `${address}:${port} is taken by another program; stop it, or choose another port with ${option}.`;
    }
    if (code.startsWith('ERR_OSSL')) {
      return `USE_SSL is true, but ${config.tlsCertificate} and ${config.tlsKey} are not a certificate and its key in PEM: ${messageOf(error)}.`;
    }
    if (error.syscall === 'listen' || error.syscall === 'getaddrinfo') {
      return `can not listen on ${address ?? config.host}: ${messageOf(error)}; choose another with --host or --port.`;
    }
    return messageOf(error);
  }
}
