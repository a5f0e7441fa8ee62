import type { Backend } from '../backend/index.js';
import type { Config } from '../config/index.js';
import type { Log } from '../log.js';
import { stateFolder } from '../places.js';
import { journalPath, readJournal } from './read-journal.js';
import type { Snapshot } from './snapshot.js';

/** Where a worker keeps its journal, and what the one before has left there. */
export interface FoundJournal {
  readonly path: string;
  /** Null: nothing, or nothing that can be used. */
  readonly left: Snapshot | null;
}

/**
 * The journal of a worker; null: it keeps none, as it tells nobody of its work, or no later start could be known
 * as one of the same worker. Never rejects.
 */
export async function findJournal(
  { dialect }: Pick<Backend, 'dialect'>,
  config: Pick<Config, 'containerId' | 'workerPort' | 'stateDir'>,
  log: Log,
): Promise<FoundJournal | null> {
  const { containerId, workerPort: port } = config;
  if (dialect === 'none' || containerId === undefined || port === 0) return null;
  const path = journalPath(stateFolder(config), { containerId, port });
  return { path, left: await readJournal(path, log) };
}
