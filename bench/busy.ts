import { pbkdf2Sync } from 'node:crypto';
import { createServer } from 'node:http';
import { announce } from './support/program.js';
import { ANSWER_BYTES } from './support/work.js';

/** A server that computes for each request, and so costs more than those who ask it. */
const answer = Buffer.alloc(ANSWER_BYTES, 'x');
/** About half a millisecond. */
const ROUNDS = 2_000;

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  request.resume().once('end', () => {
    pbkdf2Sync('one', 'request', ROUNDS, 32, 'sha256');
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': answer.length }).end(answer);
  });
});
announce(server);
