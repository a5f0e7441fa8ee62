import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ModelServerOfATest {
  readonly url: string;
  readonly port: number;
  /** The requests so far, as `GET /health`. */
  readonly requests: string[];
  /** The most requests that were open at once. */
  readonly most: number;
  /** How many connections were made. */
  readonly connections: number;
}

/** A model server that answers as the test says. It ends with the test. */
export async function serveModel(answer: RequestListener, port = 0): Promise<ModelServerOfATest> {
  const requests: string[] = [];
  let [open, most, connections] = [0, 0, 0];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    requests.push(`${request.method} ${request.url}`);
    most = Math.max(most, ++open);
    response.once('close', () => open--);
    answer(request, response);
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    requests,
    get most() {
      return most;
    },
    get connections() {
      return connections;
    },
  };
}

/** An address at which nobody listens. */
export async function nobody(): Promise<{ url: string; port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return { url: `http://127.0.0.1:${port}`, port };
}
