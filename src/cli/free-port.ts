import { type AddressInfo, createServer } from 'node:net';
import { messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { EXIT, UserError } from './exit.js';

const PORTS_TRIED = 100;

/**
 * The first free port from `preferred` on, leaving out those in `taken`. Port 0 stands for any free one.
 *
 * @throws {UserError} when none is free, or the host is not an address of this machine
 */
export async function freePort(
  host: string,
  preferred: number,
  taken: readonly number[] = [],
): Promise<number> {
  const last = Math.min(preferred + PORTS_TRIED, 65_536);
  for (let port = preferred; port < last; port++) {
    const free = taken.includes(port) ? undefined : await listenFor(host, port);
    if (free !== undefined) return free;
  }
  throw new UserError(`no port from ${preferred} to ${last - 1} is free on ${host}.`, EXIT.failed.code);
}

/** So often another program may be quicker. */
const MOST_MOVES = 5;

/** Does what listens on ports that are free, and does it again, with others, where another program was quicker. */
export async function untilNotTaken<T>(attempt: () => Promise<T>): Promise<T> {
  for (let moves = 0; ; moves += 1) {
    try {
      return await attempt();
    } catch (error) {
      const isTaken = error instanceof UserError && error.exitCode === EXIT.portTaken.code;
      if (!isTaken || moves === MOST_MOVES) throw error;
    }
  }
}

/** Says so where the port is not the one that was asked for. */
export function tellMoved(what: string, asked: number, port: number, log: Log): void {
  if (asked === 0 || port === asked) return;
  log.warn(`port ${asked} is taken, so ${what} listens on ${port}`, { event: 'port.moved', asked, port });
}

/** Listens for a moment. Answers the port, or undefined when another program has it. */
function listenFor(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(new UserError(`can not listen on ${host}: ${messageOf(error)}.`, EXIT.failed.code));
    });
    server.listen(port, host, () => {
      const listening = server.address() as AddressInfo;
      server.close(() => resolve(listening.port));
    });
  });
}
