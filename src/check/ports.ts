import { createServer, type Server } from 'node:http';
import { messageOf } from '../errors.js';
import { followingPort } from '../net/following-port.js';
import { close, listen } from '../net/server.js';
import { type Check, type Found, fatal, ok } from './finding.js';

interface Door {
  readonly host: string;
  readonly port: number;
  /** The variables of the two. */
  readonly hostVariable: string;
  readonly portVariable: string;
}

/** Whether the worker could listen: both ports are opened for a moment, side by side. */
export const ports: Check = {
  name: 'ports',
  async look({ config }) {
    const { host, workerPort, internalHost, internalPort = followingPort(workerPort) } = config;
    const [clients, operator] = [createServer(), createServer()];
    try {
      return [
        await tryToOpen(clients, {
          host,
          port: workerPort,
          hostVariable: 'TSWORKER_HOST',
          portVariable: 'WORKER_PORT',
        }),
        await tryToOpen(operator, {
          host: internalHost,
          port: internalPort,
          hostVariable: 'TSWORKER_INTERNAL_HOST',
          portVariable: 'WORKER_HTTP_PORT',
        }),
      ];
    } finally {
      await Promise.all([clients, operator].filter(({ listening }) => listening).map(close));
    }
  },
};

async function tryToOpen(server: Server, door: Door): Promise<Found> {
  const { host, port, portVariable } = door;
  try {
    await listen(server, port, host);
    return ok(port === 0 ? `${portVariable} is 0, which takes any free port` : `${host}:${port} is free`);
  } catch (error) {
    return fatal(`can not listen on ${host}:${port}: ${messageOf(error)}`, changeFor(error, door));
  }
}

function changeFor(error: unknown, { host, port, hostVariable, portVariable }: Door): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'EADDRINUSE') {
    return `stop the program that has it ("ss -ltnp 'sport = :${port}'" names it), or set ${portVariable} to another port`;
  }
  if (code === 'EACCES') return `set ${portVariable} to a port of 1024 or more, or run as a user who may`;
  return `set ${hostVariable} to an address of this machine ("ip address" lists them) instead of ${host}`;
}
