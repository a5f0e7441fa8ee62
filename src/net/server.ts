import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { WorkerError } from '../errors.js';
import { inTurn, whenAssigned } from './in-turn.js';
import { classesFor } from './prototypes.js';
import { answerError } from './write.js';

export interface ServerOptions {
  readonly listener: RequestListener;
  /** How long a client may take to send its headers. */
  readonly headersTimeoutMs: number;
  /** How long a client may take to send its whole request. */
  readonly requestTimeoutMs: number;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
  /** Hears of each request that never got to the listener, and what the client was told. */
  readonly onRefused: (error: WorkerError) => void;
}

/** Longer than the idle time-out of common load balancers, so that they close idle connections first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** How often Node looks for clients that are too slow. */
const SLOW_CLIENT_CHECK_MS = 1_000;

/** How long a client that was refused may take to read why, before its connection is cut. */
const LINGER_MS = 1_000;

/** The connections of each server, those in the middle of a TLS handshake included. */
const connections = new WeakMap<Server, Set<Socket>>();

/**
 * Makes a server that gives up on slow clients, and answers even what it can't read with JSON. One that listens no more
 * hears no more: a connection that had brought nothing yet is no idle one to Node, which leaves it open.
 */
export function createHttpServer(options: ServerOptions): Server {
  const { listener, headersTimeoutMs, requestTimeoutMs, tls, onRefused } = options;
  const settings = {
    ...classesFor(listener),
    // The headers are part of the request: Node refuses to wait longer for them than for the whole.
    headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: SLOW_CLIENT_CHECK_MS,
    // It is looked for here, where its lack is answered as JSON.
    requireHostHeader: false,
  };
  const server = tls
    ? createTlsServer({ ...settings, ...tls, handshakeTimeout: headersTimeoutMs })
    : createServer(settings);
  const sockets = new Set<Socket>();
  connections.set(server, sockets);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  const current = new WeakMap<Socket, ServerResponse>();
  const begin = inTurn(
    (request, response) => {
      if (!server.listening) {
        request.socket.destroy();
        return;
      }
      const problem = normalise(request);
      if (problem === undefined) {
        listener(request, response);
        return;
      }
      const error = new WorkerError('malformed_request', problem);
      onRefused(error);
      answerError(response, error);
    },
    () => onRefused(new WorkerError('too_many_ahead')),
  );
  const onRequest: RequestListener = (request, response) => {
    // Before it begins: what is wrong with what comes behind it is told after its answer.
    whenAssigned(response, () => current.set(request.socket, response));
    begin(request, response);
  };
  server.on('request', onRequest);
  // An expectation that is not known here may be left alone; Node would answer 417 without a body.
  server.on('checkExpectation', onRequest);

  const refused = new WeakSet<Socket>();
  server.on('clientError', (thrown: NodeJS.ErrnoException, socket: Socket) => {
    // It is told already, or will be; what it goes on to send is dropped.
    if (refused.has(socket)) return;
    refused.add(socket);
    const code = codeOf(thrown);
    if (code === undefined) {
      socket.destroy();
      return;
    }
    const tell = () => {
      const response = current.get(socket);
      if (!socket.writable || isAnsweredHalfway(response)) socket.destroySoon();
      else if (isUnderWay(response)) response.once('finish', tell);
      else {
        const error = new WorkerError(code);
        onRefused(error);
        refuse(socket, error);
      }
    };
    tell();
  });
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
    for (const socket of connections.get(server) ?? []) socket.destroy();
  });
}

/** Takes the host out of the request's target. Answers what is wrong with a request that makes no sense. */
function normalise(request: IncomingMessage): string | undefined {
  const { url = '', headers, httpVersion } = request;
  if (headers.host === undefined && httpVersion === '1.1') return 'The request has no Host header.';
  if (url.startsWith('/') || url === '*') return undefined;
  if (!URL.canParse(url)) return 'The request has no valid target.';
  const { pathname, search } = new URL(url);
  request.url = pathname + search;
  return undefined;
}

/** Its request broke off after it was answered: nobody is left to be told anything. */
function isAnsweredHalfway(response: ServerResponse | undefined): boolean {
  return response?.headersSent === true && !response.req.complete;
}

/** What was wrong came after a whole request, whose answer comes first. */
function isUnderWay(response: ServerResponse | undefined): response is ServerResponse {
  return response?.req.complete === true && !response.writableFinished;
}

function refuse(socket: Socket, { status, body }: WorkerError): void {
  const json = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${status} ${body.error}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
  );
  // Cutting it at once would lose the answer while the client still sends.
  const linger = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(linger));
}

/** What the client is told; undefined when the connection or its handshake broke, so that nobody hears it. */
function codeOf({ code = '' }: NodeJS.ErrnoException) {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'request_timeout';
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  return code.startsWith('HPE_') ? 'malformed_request' : undefined;
}
