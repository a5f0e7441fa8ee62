import { readFile } from 'node:fs/promises';

/** Where containers have the counts of their cgroup: in version 2, and in version 1. */
const OF_CONTAINERS = ['/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control'];

/**
 * How many processes the kernel has killed for want of memory, as the cgroup of this process counts them. 0 where
 * nobody counts.
 *
 * @param path a file with a line `oom_kill <count>`; if left out, that of the cgroup
 */
export async function killedForMemory(path?: string): Promise<number> {
  const paths = path === undefined ? await pathsHere() : [path];
  for (const each of paths) {
    const count = await countIn(each);
    if (count !== null) return count;
  }
  return 0;
}

/** Outside of containers the cgroup has a path of its own. */
async function pathsHere(): Promise<readonly string[]> {
  const cgroups = await readFile('/proc/self/cgroup', 'utf8').catch(() => '');
  const own = /^0::(\/.+)$/m.exec(cgroups)?.[1];
  const ownOfOne = /^\d+:memory:(\/.+)$/m.exec(cgroups)?.[1];
  return [
    ...(own === undefined ? [] : [`/sys/fs/cgroup${own}/memory.events`]),
    ...(ownOfOne === undefined ? [] : [`/sys/fs/cgroup/memory${ownOfOne}/memory.oom_control`]),
    ...OF_CONTAINERS,
  ];
}

async function countIn(path: string): Promise<number | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const count = /^oom_kill (\d+)$/m.exec(text)?.[1];
  return count === undefined ? null : Number(count);
}
