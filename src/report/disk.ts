import { statfs } from 'node:fs/promises';

/** Used space of the file system that holds `path`, in GiB. */
export async function usedDiskGib(path = '/'): Promise<number> {
  const { blocks, bfree, bsize } = await statfs(path);
  return ((blocks - bfree) * bsize) / 2 ** 30;
}
