import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Bytes, type BytesModel, startBytesModel, wholeAnswer } from '../support/bytes-model.js';
import { RawClient } from '../support/client.js';
import { dribble } from '../support/faults-wire.js';
import { quietBackend, type RunningWorker, serve } from '../support/worker.js';

/** A model server may send anything: a client gets an answer of the right form, or a connection that is cut. */

const TIMEOUTS = { firstByte: '1s', betweenBytes: '1s', total: '2s' } as const;

interface World {
  readonly model: BytesModel;
  readonly running: RunningWorker;
  /** All that a client is sent for a prompt, until its connection is closed, without the date. */
  readonly ask: (prompt: string, path?: string) => Promise<string>;
}

async function startWorld(): Promise<World> {
  const model = await startBytesModel();
  const route = { parallel: true, workload: 1, maxQueueTime: '1h', timeouts: TIMEOUTS } as const;
  const running = await serve(
    quietBackend({
      model: { url: model.url, health: '/health' },
      maxPerf: 1_000,
      routes: {
        '/relayed': route,
        '/read': { ...route, transformResponse: async (answer) => `read: ${await answer.text()}` },
      },
    }),
  );
  const ask = async (prompt: string, path = '/relayed') => {
    const body = JSON.stringify({ prompt });
    const head = `POST ${path} HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Type: application/json\r\n`;
    const client = new RawClient(running.port).write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    return (await client.untilEnd()).replace(/\r\nDate: [^\r]*/, '');
  };
  return { model, running, ask };
}

/** What a client is told by the worker itself: whole, and without a byte of the model server's. */
function ownAnswer(status: string, code: string, message: string): string {
  const body = JSON.stringify({ error: code, message });
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}`;
  return `${head}\r\nConnection: close\r\n\r\n${body}`;
}

const FAILED = ownAnswer(
  '500 Internal Server Error',
  'model_failed',
  'The model server failed. The worker log has the reason.',
);
const late = (where: string) =>
  ownAnswer(
    '504 Gateway Timeout',
    'model_timeout',
    `The model server took longer than this route allows ${where}.`,
  );

/** What a client is told of hostile bytes, over a connection that was used before; nothing of them stays. */
async function told(
  { model, running, ask }: World,
  path: string,
  bytes: Bytes,
  outcome: 'served' | 'errored',
): Promise<string> {
  model.bytes.set('hostile', bytes);
  expect(await ask('first')).toContain('\r\n\r\nfirst');
  const answer = await ask('hostile', path);
  // Two at once, so that one goes over the connection of the hostile answer, if that is still there.
  const next = await Promise.all(['second', 'third'].map((prompt) => ask(prompt)));
  expect(next.map((each) => /^HTTP\/1.1 200 .*\r\n\r\n(.*)$/s.exec(each)?.[1])).toEqual(['second', 'third']);
  // None was sent to it twice, and the first two over one connection.
  expect(model.asked.map(({ prompt }) => prompt).sort()).toEqual(['first', 'hostile', 'second', 'third']);
  expect(model.asked[1]?.connection).toBe(model.asked[0]?.connection);
  const { served, errored, cancelled } = running.worker.view().ledger.totals;
  expect([served, errored, cancelled]).toEqual(outcome === 'served' ? [4, 0, 0] : [3, 1, 0]);
  return answer;
}

/** The reason that the log gives. */
function reasons({ log }: RunningWorker): unknown[] {
  return log.about('request.refused').map(({ fields }) => fields.reason);
}

const OK = 'HTTP/1.1 200 OK\r\n';
const AB = 'Content-Length: 2\r\n\r\nab';
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

describe.each(['/relayed', '/read'])('bytes that are no answer, at %s: the client is told so', (path) => {
  it.each<[name: string, bytes: string]>([
    ['a length and chunks', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nhidden`],
    ['chunks and a length', `${OK}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nhidden`],
    ['two lengths', `${OK}Content-Length: 2\r\nContent-Length: 8\r\n\r\nabhidden`],
    ['a negative length', `${OK}Content-Length: -2\r\n\r\nab`],
    ['a length that is no number', `${OK}Content-Length: two\r\n\r\nab`],
    ['a length beyond all numbers', `${OK}Content-Length: ${'9'.repeat(30)}\r\n\r\nab`],
    ['a CR in a value', `${OK}X: a\rHidden: b\r\n${AB}`],
    ['an LF in a value', `${OK}X: a\nHidden: b\r\n${AB}`],
    ['a NUL in a value', `${OK}X: a\0b\r\n${AB}`],
    ['a control character in a value', `${OK}X: a\x01b\r\n${AB}`],
    ['a folded header', `${OK}X: a\r\n b\r\n${AB}`],
    ['a space in a name', `${OK}X Y: a\r\n${AB}`],
    ['a space before a colon', `${OK}X : a\r\n${AB}`],
    ['no name', `${OK}: a\r\n${AB}`],
    ['a header of 1 MiB', `${OK}X: ${'a'.repeat(2 ** 20)}\r\n${AB}`],
    ['bare LFs', `HTTP/1.1 200 OK\nContent-Length: 2\n\nab`],
    ['a status of letters', `HTTP/1.1 abc OK\r\n${AB}`],
    ['a status of two digits', `HTTP/1.1 20 OK\r\n${AB}`],
    ['a status of four digits', `HTTP/1.1 2000 OK\r\n${AB}`],
    ['the status 0', `HTTP/1.1 000 OK\r\n${AB}`],
    ['no status line', 'hidden'.padEnd(100)],
    ['100, for which nobody has asked', `HTTP/1.1 100 Continue\r\n\r\n${wholeAnswer('hidden')}`],
    ['101 without a word', 'HTTP/1.1 101 Switching Protocols\r\n\r\nhidden'],
    ['101', `HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhidden`],
  ])('%s', async (_name, bytes) => {
    const world = await startWorld();
    expect(await told(world, path, bytes, 'errored')).toBe(FAILED);
    expect(reasons(world.running)).toEqual([expect.stringMatching(/^the model server failed: ./)]);
  });

  it.each<[name: string, answer: string, paced: string, piece: string]>([
    ['before its answer', late('to its first byte'), '', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'],
    ['of its headers', FAILED, OK, `X: ${'a'.repeat(100)}\r\n`.repeat(20)],
    ['of its headers, slowly', late('to its first byte'), OK, 'X: a\r\n'],
    ['of its status line', late('to its first byte'), 'HTTP/1.1 200 ', 'hidden'],
  ])('no end %s', async (_name, answer, begin, piece) => {
    const world = await startWorld();
    const bytes = (socket: Socket) => {
      socket.write(begin);
      dribble(socket, piece);
    };
    expect(await told(world, path, bytes, 'errored')).toBe(answer);
  });
});

describe('an answer that goes wrong after its head', () => {
  const BEGUN = `${OK}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;

  it.each<[name: string, bytes: Bytes, received: string]>([
    ['a chunk without a size', `${CHUNKED}zz\r\nhidden\r\n0\r\n\r\n`, BEGUN],
    ['a chunk longer than its size', `${CHUNKED}2\r\nabhidden\r\n0\r\n\r\n`, `${BEGUN}2\r\nab\r\n`],
    ['a trailer with a NUL', `${CHUNKED}2\r\nab\r\n0\r\nX: \0hidden\r\n\r\n`, `${BEGUN}2\r\nab\r\n`],
    ['a length in the trailer', `${CHUNKED}2\r\nab\r\n0\r\nContent-Length: 2\r\n\r\n`, `${BEGUN}2\r\nab\r\n`],
    [
      'a body shorter than its length',
      (socket) => socket.end(`${OK}Content-Length: 20\r\n\r\nab`),
      `${OK}Content-Length: 20\r\nConnection: close\r\n\r\nab`,
    ],
    [
      'trailers without end',
      (socket) => {
        socket.write(`${CHUNKED}2\r\nab\r\n0\r\n`);
        dribble(socket, 'X: hidden\r\n');
      },
      `${BEGUN}2\r\nab\r\n`,
    ],
    [
      'a chunk extension without end',
      (socket) => {
        socket.write(`${CHUNKED}2;`);
        dribble(socket, 'hidden');
      },
      BEGUN,
    ],
  ])('%s: it is cut where it was right', async (_name, bytes, received) => {
    expect(await told(await startWorld(), '/relayed', bytes, 'errored')).toBe(received);
  });

  it.each<[name: string, bytes: Bytes, answer: string]>([
    ['a chunk without a size', `${CHUNKED}zz\r\nhidden\r\n0\r\n\r\n`, FAILED],
    ['a chunk longer than its size', `${CHUNKED}2\r\nabhidden\r\n0\r\n\r\n`, FAILED],
    ['a body shorter than its length', (socket) => socket.end(`${OK}Content-Length: 20\r\n\r\nab`), FAILED],
  ])('%s: whoever reads it first tells nothing of it', async (_name, bytes, answer) => {
    expect(await told(await startWorld(), '/read', bytes, 'errored')).toBe(answer);
  });
});

describe('an answer that is odd and right', () => {
  const chunks = (...pieces: string[]) =>
    `${OK}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${pieces.map((each) => `${each.length.toString(16)}\r\n${each}\r\n`).join('')}0\r\n\r\n`;
  const plain = (headers = '') => `${OK}${headers}Content-Length: 2\r\nConnection: close\r\n\r\nab`;

  it.each<[name: string, bytes: Bytes, received: string]>([
    ['ten thousand hints before it', `HTTP/1.1 103 Early Hints\r\n\r\n`.repeat(10_000) + OK + AB, plain()],
    ['more bytes than its length', `${wholeAnswer('ab')}hidden`, plain()],
    ['an answer behind it', `${wholeAnswer('ab')}${wholeAnswer('hidden')}`, plain()],
    ['chunk extensions', `${CHUNKED}2;hidden=b\r\nab\r\n0;hidden\r\n\r\n`, chunks('ab')],
    ['a chunk extension of 100 KB', `${CHUNKED}2;${'a'.repeat(100_000)}\r\nab\r\n0\r\n\r\n`, chunks('ab')],
    ['a trailer', `${CHUNKED}2\r\nab\r\n0\r\nX-Late: hidden\r\n\r\n`, chunks('ab')],
    [
      'gzip that is none',
      wholeAnswer('ab', 'Content-Encoding: gzip\r\n'),
      plain('Content-Encoding: gzip\r\n'),
    ],
    ['a byte beyond ASCII in a value', wholeAnswer('ab', 'X: \xff\r\n'), plain('X: \xff\r\n')],
    ['no reason', `HTTP/1.1 200\r\n${AB}`, plain()],
    ['a reason of its own', `HTTP/1.1 200 hidden \xff\r\n${AB}`, plain()],
    ['headers that are for one connection', `${OK}Connection: x-hidden\r\nX-Hidden: a\r\n${AB}`, plain()],
    ['a length that is for one connection', `${OK}Connection: content-length\r\n${AB}`, chunks('ab')],
  ])('%s', async (_name, bytes, received) => {
    expect(await told(await startWorld(), '/relayed', bytes, 'served')).toBe(received);
  });
});
