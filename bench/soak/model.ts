import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { argv, exit } from 'node:process';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { readWish } from './wish.js';

/**
 * The model server of the soak, which the worker runs: it answers each request as that wants, with back-pressure. Who
 * asks for `/crash` has it die in the middle of everything, for `/hang` has it say nothing any more, health included.
 */
let hangs = false;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/crash') exit(1);
  if (request.url === '/hang') hangs = true;
  if (hangs) return;
  if (request.url === '/health') {
    response.end('{}');
    return;
  }
  const { ms, pieces, bytes, status } = readWish(JSON.parse(await text(request)));
  response.writeHead(status, { 'content-type': 'text/event-stream' });
  const piece = Buffer.alloc(bytes, 'x');
  for (let count = 0; count < pieces && !response.destroyed; count++) {
    await sleep(ms / pieces);
    if (!response.write(piece)) await drained(response);
  }
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once('drain', resolve);
    response.once('close', resolve);
  });
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.listen(Number(argv[2]), '127.0.0.1', () => console.log('the model is loaded'));
