import { statfs } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Used space of the file system that holds `path`, in GiB. Undefined when the system can't tell, or
 * not in time: a report must not wait for a disk.
 */
export async function usedDiskGib(timeoutMs: number, path = '/'): Promise<number | undefined> {
  const timer = new AbortController();
  const tooLate = delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
  try {
    return await Promise.race([measure(path), tooLate]);
  } catch {
    return undefined;
  } finally {
    timer.abort();
  }
}

async function measure(path: string): Promise<number> {
  const { blocks, bfree, bsize } = await statfs(path);
  return ((blocks - bfree) * bsize) / 2 ** 30;
}
