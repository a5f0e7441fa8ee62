import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, messageOf } from '../errors.js';
import type { Log } from '../log.js';
import type { Snapshot } from './snapshot.js';
import { contentsOf } from './text.js';

/** Whose journal it is: the next worker of the same instance and port goes on from it. */
export interface JournalOwner {
  /** `CONTAINER_ID`. */
  readonly containerId: number;
  /** The port that the worker listens on. */
  readonly port: number;
}

export function journalPath(folder: string, { containerId, port }: JournalOwner): string {
  return join(folder, `journal-${containerId}-${port}`);
}

/**
 * What the last worker has left; null: nothing, or nothing that can be used. Never rejects: a journal that can't be
 * read is told, and one that is damaged is put aside as `<name>.corrupt-<time>` as well. Of a damaged one what
 * stands before the damage is used.
 *
 * @param timestamp of now, for the name
 */
export async function readJournal(
  path: string,
  log: Log,
  timestamp: () => string = () => new Date().toISOString().replaceAll(':', '-'),
): Promise<Snapshot | null> {
  const text = await readText(path, log);
  if (text === null) return null;
  const { snapshot, problem } = contentsOf(text);
  if (problem !== null) await putAside(path, `${path}.corrupt-${timestamp()}`, problem, snapshot, log);
  return snapshot;
}

async function readText(path: string, log: Log): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!hasCode(error, 'ENOENT'))
      tell(log, `the journal ${path} can not be read: ${messageOf(error)}`, 'journal.unreadable');
    return null;
  }
}

async function putAside(
  path: string,
  aside: string,
  problem: string,
  snapshot: Snapshot | null,
  log: Log,
): Promise<void> {
  const used = snapshot === null ? 'nothing of it is used' : 'what stands before that is used';
  const said = `the journal ${path} is damaged: ${problem}; ${used}`;
  try {
    await rename(path, aside);
    tell(log, `${said}, and it was put aside as ${aside}`, 'journal.corrupt');
  } catch (error) {
    tell(log, `${said}, but it could not be put aside: ${messageOf(error)}`, 'journal.corrupt');
  }
}

function tell(log: Log, message: string, event: string): void {
  log.warn(message, { event });
}
