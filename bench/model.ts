import { createServer } from 'node:http';
import { argv } from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { announce } from './support/program.js';
import { ANSWER_BYTES } from './support/work.js';

/** A model server whose capacity is known: `node model.js <ms that a request takes> <how many at once>`, the others in line. */
const [takesMs, places] = [Number(argv[2]), Number(argv[3])];
const answer = Buffer.alloc(ANSWER_BYTES, 'x');
const line: (() => void)[] = [];
let free = places;

async function inTurn(work: () => Promise<void>): Promise<void> {
  if (free > 0) free -= 1;
  else await new Promise<void>((resolve) => line.push(resolve));
  try {
    await work();
  } finally {
    const next = line.shift();
    if (next === undefined) free += 1;
    else next();
  }
}

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  request.resume().once('end', () => {
    void inTurn(async () => {
      await delay(takesMs);
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': answer.length }).end(answer);
    });
  });
});
announce(server);
