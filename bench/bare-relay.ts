import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { argv } from 'node:process';
import { type Dispatcher, Pool } from 'undici';
import { announce } from './support/program.js';

/** The yardstick: what a relay costs that forwards, and does nothing beside. `node bare-relay.js <upstream url>` */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade']);
const pool = new Pool(argv[2] ?? '', { connections: null, headersTimeout: 0, bodyTimeout: 0 });

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const { accept = '*/*', 'content-type': type = 'application/json' } = request.headers;
    const headers = { accept, 'content-type': type };
    const body = Buffer.concat(pieces);
    pool.dispatch({ method: 'POST', path: request.url ?? '/', headers, body }, relayTo(response));
  });
});
announce(server);

function relayTo(response: ServerResponse): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller) => {
      response.on('close', () => response.writableFinished || controller.abort(new Error('the client left')));
    },
    onResponseStart: (controller, status, headers) => {
      response.writeHead(status, forwarded(headers));
      response.on('drain', () => controller.resume());
    },
    onResponseData: (controller, chunk) => void (response.write(chunk) || controller.pause()),
    onResponseEnd: () => void response.end(),
    onResponseError: () => void response.destroy(),
  };
}

function forwarded(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}
