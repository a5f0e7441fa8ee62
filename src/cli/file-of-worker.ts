import { type Stats, statSync } from 'node:fs';
import { format, parse } from 'node:path';

/** The file of one worker of several: `run.1.jsonl` for `run.jsonl`. What is no file, such as a device, is everybody's. */
export function fileOfWorker(path: string, worker: number): string {
  const there = statOf(path);
  if (there !== undefined && !there.isFile()) return path;
  const { dir, root, name, ext } = parse(path);
  return format({ dir, root, name: `${name}.${worker}`, ext });
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // The worker can't look at it, either, and says so.
    return undefined;
  }
}
