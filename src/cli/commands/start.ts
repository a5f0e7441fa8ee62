import type { Backend } from '../../backend/index.js';
import type { Overrides } from '../../config/index.js';
import { findJournal } from '../../journal/find-journal.js';
import { reachable } from '../../net/address.js';
import { Worker } from '../../worker.js';
import { asUserError, tellWhyNot } from '../beacon.js';
import { EXIT } from '../exit.js';
import type { Io } from '../io.js';
import { loadBackend } from '../load-backend.js';
import { besideInspected, logOf } from '../log.js';
import { onOrphaned } from '../orphaned.js';
import { runWorker } from '../run-worker.js';
import { checkFor, loadSettings, settings, tell, warningsFor } from '../settings.js';

/**
 * Runs a worker as on a rented instance. Its first reporting interval begins with the process. One that can't
 * start tells the autoscaler why.
 */
export async function start(name: string | undefined, given: Overrides, io: Io): Promise<number> {
  const progress: Progress = { hasStarted: false };
  try {
    return await run(name, given, io, progress);
  } catch (error) {
    if (progress.hasStarted) throw error;
    return tellWhyNot(asUserError(error), given, io, progress.dialect);
  }
}

/** How far a start has come. */
interface Progress {
  hasStarted: boolean;
  /** How the backend talks to the autoscaler, once it is loaded. */
  dialect?: Backend['dialect'];
}

async function run(name: string | undefined, given: Overrides, io: Io, progress: Progress): Promise<number> {
  const { config, warnings } = settings(io.env, given);
  const backend = await whileParentLives(config.parentPid, () =>
    loadBackend(name ?? config.backend, loadSettings(io.env, config)),
  );
  progress.dialect = backend.dialect;
  checkFor(backend, config);
  const log = await logOf(config.logLevel, besideInspected(io, config));
  tell([...warnings, ...warningsFor(backend, config)], log);
  const journal = await findJournal(backend, config, log);
  const worker = new Worker(backend, config, { log, startedAtMs: 0, journal });
  return runWorker({
    worker,
    config,
    log,
    env: io.env,
    onListening: ({ port, internalPort }) => {
      progress.hasStarted = true;
      const scheme = config.useTls ? 'https' : 'http';
      log.info(
        `${backend.name} listens on ${scheme}://${config.host}:${port}, see it at work on http://${reachable(config.internalHost)}:${internalPort}/`,
        { event: 'listening', backend: backend.name, host: config.host, port, internalPort },
      );
    },
  });
}

/** Until the backend is loaded there is nothing to be stopped in good order: without its parent the process ends at once. */
async function whileParentLives<T>(parentPid: number | undefined, load: () => Promise<T>): Promise<T> {
  if (parentPid === undefined) return load();
  const lookNoMore = onOrphaned(parentPid, () => process.exit(EXIT.failed.code));
  try {
    return await load();
  } finally {
    lookNoMore();
  }
}
