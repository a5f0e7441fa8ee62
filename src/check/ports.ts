import { createServer } from 'node:http';
import { messageOf } from '../errors.js';
import { close, listen } from '../net/server.js';
import { type Check, type Found, fatal, ok } from './finding.js';

/** Whether the worker could listen: both ports are opened for a moment, side by side. */
export const ports: Check = {
  name: 'ports',
  async look({ config }) {
    const {
      host,
      workerPort,
      internalPort = workerPort === 0 || workerPort === 65_535 ? 0 : workerPort + 1,
    } = config;
    const [clients, operator] = [createServer(), createServer()];
    const tryOne = (server: typeof clients, port: number, address: string, change: string): Promise<Found> =>
      listen(server, port, address).then(
        () => ok(port === 0 ? 'any free port is taken' : `${address}:${port} is free`),
        (error: unknown) => fatal(`can not listen on ${address}:${port}: ${messageOf(error)}`, change),
      );
    try {
      const stop = 'stop the program that has it, or choose another with';
      return [
        await tryOne(
          clients,
          workerPort,
          host,
          `${stop} WORKER_PORT or --port (the address is TSWORKER_HOST)`,
        ),
        await tryOne(operator, internalPort, '127.0.0.1', `${stop} WORKER_HTTP_PORT or --internal-port`),
      ];
    } finally {
      await Promise.all([clients, operator].filter(({ listening }) => listening).map(close));
    }
  },
};
