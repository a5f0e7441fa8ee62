import type { Server } from 'node:http';

/** Listens on a free port of loopback, and tells which. */
export function announce(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object' && address !== null) tellPort(address.port);
  });
}

/** What a program of the benchmark prints first. */
export function tellPort(port: number): void {
  console.log(JSON.stringify({ port }));
}
