import { createServer } from 'node:net';

const PORTS_TRIED = 100;

/**
 * The first free port from `preferred` on, leaving out those in `taken`. Port 0 stays 0.
 *
 * @throws when none is free
 */
export async function freePort(
  host: string,
  preferred: number,
  taken: readonly number[] = [],
): Promise<number> {
  if (preferred === 0) return 0;
  const last = Math.min(preferred + PORTS_TRIED, 65_536);
  for (let port = preferred; port < last; port++) {
    if (!taken.includes(port) && (await isFree(host, port))) return port;
  }
  throw new Error(`no port from ${preferred} to ${last - 1} is free on ${host}`);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
