import { readFileSync } from 'node:fs';

/** How many connections may use the file descriptors that there are. */
export interface Shares {
  /** Of clients to the worker. */
  readonly clients: number;
  /** Of the worker to its model server. */
  readonly model: number;
}

/** What is left for all that are not such connections: reports, looks at the model server, the internal port, files. */
const OWN = 64;

/** Who has next to nothing serves few. */
const FEWEST = 8;

/** Most connections of clients are idle at times, and need none to the model server then. */
const PART_OF_CLIENTS = 0.6;

/** @param limit how many descriptors the process may have */
export function sharesOf(limit: number, hasModel: boolean): Shares {
  const left = limit - OWN;
  const clients = Math.max(Math.floor(hasModel ? left * PART_OF_CLIENTS : left), FEWEST);
  return { clients, model: hasModel ? Math.max(Math.ceil(left * (1 - PART_OF_CLIENTS)), FEWEST) : 0 };
}

/** How many descriptors this process may have, as `ulimit -n` set it; Infinity: nothing is known of a limit. */
export function descriptorLimit(): number {
  try {
    return limitIn(readFileSync('/proc/self/limits', 'utf8'));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** @param limits as /proc/<pid>/limits has them, the limit in force first */
export function limitIn(limits: string): number {
  const [, limit] = /^Max open files +(\d+)/m.exec(limits) ?? [];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}
