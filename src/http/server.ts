import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { WorkerError } from '../errors.js';

export interface ServerOptions {
  readonly listener: RequestListener;
  /** How long a client may take to send its headers. */
  readonly headersTimeoutMs: number;
  /** How long a client may take to send its whole request. */
  readonly requestTimeoutMs: number;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
}

/** Longer than the idle time-out of common load balancers, so that they close idle connections first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** How often Node looks for clients that are too slow. */
const SLOW_CLIENT_CHECK_MS = 1_000;

/** Makes a server that gives up on slow clients, and answers even what it can't read with JSON. */
export function createHttpServer({
  listener,
  headersTimeoutMs,
  requestTimeoutMs,
  tls,
}: ServerOptions): Server {
  const options = {
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: SLOW_CLIENT_CHECK_MS,
  };
  const server = tls ? createTlsServer({ ...options, ...tls }, listener) : createServer(options, listener);
  server.on('clientError', answerClientError);
  return server;
}

/** Listens, and resolves with the port. Port 0 takes any free one. */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Stops listening, cuts every connection, and resolves when all are gone. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  // Nothing may be written into a connection on which an answer has been, or is being, written.
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  const { status, body } = new WorkerError(codeOf(error));
  const json = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${body.error}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
  );
}

function codeOf({ code }: { code?: string }) {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  return 'malformed_request';
}
