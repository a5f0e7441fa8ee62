// Clients that nobody wants, many at once, in a process of their own: `node intruders.mjs '{"port":…,"kind":…,"count":…}'`.
// It says when all of them are there. They come again and again until a line is read, and then it says what they were
// told: how often each status, and how many connections ended without any.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const { port, kind, count } = JSON.parse(process.argv[2]);

/** Each address of loopback has ports of its own. */
const ADDRESSES = 8;

const POST = 'POST /v1/completions HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\n';
const NOWHERE = 'GET /nowhere HTTP/1.1\r\nHost: w\r\n\r\n';
const BODY = '{"payload":{"prompt":"not signed"}}';

/** What is no request, or two to some readers. */
const MALFORMED = [
  'GARBAGE\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  `${POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${NOWHERE}`,
  `${POST}Content-Length: 0\r\nContent-Length: ${NOWHERE.length}\r\n\r\n${NOWHERE}`,
  `${POST}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n`,
  `${POST}X-Nul: a\x00b\r\n\r\n`,
  `${POST}X-Long: ${'x'.repeat(100_000)}\r\n\r\n`,
  `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
];

/** Come again and again: what each says on its so many-th connection, and whether it then says no more. */
const COMING = {
  malformed: (round) => ({ says: MALFORMED[round % MALFORMED.length] }),
  'half-closing': (round) => ({
    says: [
      `${POST}Content-Length: 99999\r\n\r\n{`,
      `${POST}X-Half: `,
      `${POST}Content-Length: ${BODY.length}\r\n\r\n${BODY}`,
    ][round % 3],
    ends: true,
  }),
  pipelining: () => ({
    says: `${NOWHERE.repeat(49)}GET /nowhere HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n`,
  }),
};

const told = {};
let isOver = false;
let there = 0;

function arrived() {
  there += 1;
  if (there === count) console.log(JSON.stringify({ event: 'there' }));
}

/** One connection, which resolves when it is closed. */
function one(index, { says, ends = false }, onThere) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (index % ADDRESSES)}` });
    let received = '';
    socket.once('connect', () => {
      if (ends) socket.end(says, 'latin1');
      else socket.write(says, 'latin1');
      onThere();
    });
    socket.setEncoding('latin1').on('data', (text) => {
      received += text;
    });
    // A reset is as good an end as any.
    socket.on('error', () => {});
    socket.once('close', () => {
      const statuses = received.match(/HTTP\/1\.1 \d{3}/g) ?? ['nothing'];
      for (const each of statuses) {
        const status = each.replace('HTTP/1.1 ', '');
        told[status] = (told[status] ?? 0) + 1;
      }
      resolve();
    });
  });
}

async function comes(index) {
  for (let round = index; !isOver; round++) {
    let isFirst = round === index;
    await one(index, COMING[kind](round), () => {
      if (isFirst) arrived();
      isFirst = false;
    });
  }
}

async function run() {
  await Promise.all(Array.from({ length: count }, (_, index) => comes(index)));
  console.log(JSON.stringify({ event: 'gone', told }));
  process.stdin.destroy();
}

createInterface({ input: process.stdin }).once('line', () => {
  isOver = true;
});
await run();
