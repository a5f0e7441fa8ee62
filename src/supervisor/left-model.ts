import { RunFile } from './run-file.js';

/** What is killed may take so long to be gone. */
const GONE_WITHIN_MS = 10_000;

/**
 * Kills the model server that a worker has left because it was killed itself. Answers whether there was one.
 *
 * @param path the file in which the worker has kept what it runs
 * @throws when the worker still lives, or what it has left does not end
 */
export async function killLeftModel(path: string, onProblem: (problem: string) => void): Promise<boolean> {
  const file = new RunFile(path, onProblem);
  const orphan = await file.findOrphan();
  if (orphan === null) return false;
  await orphan.signal('SIGKILL');
  await orphan.gone(AbortSignal.timeout(GONE_WITHIN_MS));
  await file.clear();
  return true;
}
