import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** Below those that a system gives to connections, one of which could take a port before it is used. */
const LOWEST = 10_000;
const HIGHEST = 32_000;

/** Ports of loopback on which nobody listens, each another. Somebody else may be quicker, but hardly is. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = new Map<number, Server>();
  while (servers.size < count) {
    const port = randomInt(LOWEST, HIGHEST);
    const server = servers.has(port) ? null : await listening(port);
    if (server !== null) servers.set(port, server);
  }
  for (const server of servers.values()) await once(server.close(), 'close');
  return [...servers.keys()];
}

async function listening(port: number): Promise<Server | null> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return null;
  }
}
