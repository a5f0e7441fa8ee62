import { createServer, type ServerResponse } from 'node:http';
import { announce } from './support/program.js';
import { ANSWER_BYTES, EVENTS, PATHS } from './support/work.js';

/**
 * The model server of the benchmark, which costs as little as it can: `/json` answers one kilobyte, `/stream`
 * 200 server-sent events, each written in a turn of its own as a model gives its tokens.
 */
const JSON_ANSWER = Buffer.from(JSON.stringify({ text: 'x'.repeat(ANSWER_BYTES - '{"text":""}'.length) }));
const EVENT = `data: ${JSON.stringify({ choices: [{ index: 0, text: ' token' }] })}\n\n`;
/** As it travels, so that it is made once: a piece that `response.write` frames is three. */
const CHUNK = Buffer.from(`${EVENT.length.toString(16)}\r\n${EVENT}\r\n`);

function answerJson(response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': JSON_ANSWER.length });
  response.end(JSON_ANSWER);
}

function answerStream(response: ServerResponse): void {
  const { socket } = response;
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.flushHeaders();
  let left = EVENTS;
  const writeNext = () => {
    if (socket === null || response.destroyed) return;
    if (left === 0) {
      response.end();
      return;
    }
    left -= 1;
    if (socket.write(CHUNK)) setImmediate(writeNext);
    else socket.once('drain', writeNext);
  };
  writeNext();
}

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  request.resume().once('end', () => {
    if (request.url === PATHS.json) answerJson(response);
    else answerStream(response);
  });
});
announce(server);
