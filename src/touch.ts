import { utimes, writeFile } from 'node:fs/promises';

/** Makes a file if it is not there, and gives it the time of now. */
export async function touch(path: string): Promise<void> {
  await writeFile(path, '', { flag: 'a' });
  const now = new Date();
  await utimes(path, now, now);
}
