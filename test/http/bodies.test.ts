import type { IncomingMessage } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { WorkerError } from '../../src/errors.js';
import { Bodies } from '../../src/http/bodies.js';
import { answerError } from '../../src/net/write.js';
import { answersIn, RawClient } from '../support/client.js';
import { serveHttp } from '../support/http-server.js';
import { quietBackend, serve } from '../support/worker.js';

const KIB = 1024;

interface Read {
  readonly request: IncomingMessage;
  /** The length of the body, or the code of the error; null: it is still being read. */
  outcome: number | string | null;
  giveBack: () => void;
}

/** A server that reads the bodies of its requests, and answers those that it refuses. */
async function reader(limitBytes: number, uncheckedLimitBytes: number) {
  const bodies = new Bodies({ limitBytes, uncheckedLimitBytes });
  const reads: Read[] = [];
  const { port } = await serveHttp((request, response) => {
    const read: Read = { request, outcome: null, giveBack: () => {} };
    reads.push(read);
    bodies.read(request).then(
      (body) => {
        read.outcome = body.length;
        read.giveBack = () => bodies.giveBack(body);
      },
      (error) => {
        read.outcome = error instanceof WorkerError ? error.code : String(error);
        if (error instanceof WorkerError) answerError(response, error);
      },
    );
  });
  return { bodies, reads, port };
}

type Reader = Awaited<ReturnType<typeof reader>>;

/** Sends the head of a request, and so much of its body. */
function sends({ port }: Pick<Reader, 'port'>, announced: number | 'chunks', bytes: number): RawClient {
  const framing = announced === 'chunks' ? 'Transfer-Encoding: chunked' : `Content-Length: ${announced}`;
  const client = new RawClient(port).write(`POST / HTTP/1.1\r\nHost: w\r\n${framing}\r\n\r\n`);
  if (bytes === 0) return client;
  if (announced === 'chunks') client.write(`${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`);
  else client.write('x'.repeat(bytes));
  return client;
}

const heldIs = ({ bodies }: Reader, bytes: number) =>
  vi.waitFor(() => expect(bodies.heldBytes).toBe(bytes), { interval: 5, timeout: 10_000 });

const outcomesAre = ({ reads }: Reader, outcomes: Read['outcome'][]) =>
  vi.waitFor(() => expect(reads.map(({ outcome }) => outcome)).toEqual(outcomes), {
    interval: 5,
    timeout: 10_000,
  });

describe('a body', () => {
  it.each([
    ['of an announced length', 300 * KIB, 300 * KIB, ''],
    ['in chunks', 'chunks', 300 * KIB, '0\r\n\r\n'],
    ['of nothing', 0, 0, ''],
  ] as const)('%s is read whole, and held until it is given back', async (_how, announced, bytes, end) => {
    const server = await reader(400 * KIB, 400 * KIB);
    const client = sends(server, announced, bytes);
    if (end !== '') client.write(end);
    await outcomesAre(server, [bytes]);
    expect(server.bodies.heldBytes).toBe(bytes);
    server.reads[0]?.giveBack();
    expect(server.bodies.heldBytes).toBe(0);
  });

  it.each([
    ['at once, if it says how long it is', 301 * KIB, 0],
    ['when it is, if it does not', 'chunks', 301 * KIB],
  ] as const)('over the limit is refused: %s, and nothing is held', async (_when, announced, bytes) => {
    const server = await reader(300 * KIB, 300 * KIB);
    const client = sends(server, announced, bytes);
    expect(answersIn(await client.until(/\}$/))).toMatchObject([
      {
        status: 413,
        body: { error: 'payload_too_large', message: 'The body is over the limit of 307200 bytes.' },
      },
    ]);
    expect(server.bodies.heldBytes).toBe(0);
  });

  it('whose client leaves is held no more', async () => {
    const server = await reader(300 * KIB, 300 * KIB);
    const client = sends(server, 300 * KIB, 200 * KIB);
    await heldIs(server, 200 * KIB);
    client.socket.destroy();
    await outcomesAre(server, ['client_closed_request']);
    expect(server.bodies.heldBytes).toBe(0);
  });
});

describe('bodies that are held together', () => {
  it('have a limit: the one that would go beyond is refused, and read no further', async () => {
    const server = await reader(64 * 1024 * KIB, 1000 * KIB);
    sends(server, 2000 * KIB, 900 * KIB);
    await heldIs(server, 900 * KIB);
    const stranger = sends(server, 50_000 * KIB, 50_000 * KIB - 1);
    expect(answersIn(await stranger.untilEnd())).toEqual([
      {
        status: 503,
        headers: {
          'retry-after': '1',
          connection: 'close',
          'content-type': 'application/json; charset=utf-8',
          'content-length': '96',
          date: expect.any(String),
        },
        body: {
          error: 'too_many_bodies',
          message: 'Too much is being sent to the worker at once. Try again.',
        },
      },
    ]);
    await outcomesAre(server, [null, 'too_many_bodies']);
    expect(server.bodies.heldBytes).toBe(900 * KIB);
    expect(server.reads[1]?.request.socket.bytesRead).toBeLessThan(2000 * KIB);
  });

  it('are fewer when one has left: the next may be read', async () => {
    const server = await reader(1000 * KIB, 1000 * KIB);
    const first = sends(server, 1000 * KIB, 900 * KIB);
    await heldIs(server, 900 * KIB);
    first.socket.destroy();
    await heldIs(server, 0);
    sends(server, 900 * KIB, 900 * KIB);
    await outcomesAre(server, ['client_closed_request', 900 * KIB]);
    server.reads[1]?.giveBack();
    sends(server, 901 * KIB, 901 * KIB);
    await outcomesAre(server, ['client_closed_request', 900 * KIB, 901 * KIB]);
  });

  it('have none where there is but one', async () => {
    const server = await reader(1000 * KIB, 100 * KIB);
    sends(server, 1000 * KIB, 1000 * KIB);
    await outcomesAre(server, [1000 * KIB]);
  });

  it('keep out none that comes in one piece', async () => {
    const server = await reader(1000 * KIB, 100 * KIB);
    sends(server, 1000 * KIB, 900 * KIB);
    await heldIs(server, 900 * KIB);
    sends(server, 4 * KIB, 4 * KIB);
    await outcomesAre(server, [null, 4 * KIB]);
    expect(server.bodies.heldBytes).toBe(904 * KIB);
  });
});

describe('a worker to which too much is sent', () => {
  it('tells it once in the log, counts nothing as work, and serves the others', async () => {
    const backend = quietBackend({ routes: { '/run': { handle: ({ body }) => body } } });
    const { port, log, requests, worker } = await serve(backend, {
      TSWORKER_UNCHECKED_BODIES_LIMIT: '100KiB',
    });
    const begin = (body: string, length: number) =>
      new RawClient(port).write(
        `POST /run HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
      );
    const patient = begin(' '.repeat(99 * KIB), 100 * KIB);
    await vi.waitFor(() => expect(worker.view().requestsUnderWay).toBe(1));
    for (let refused = 0; refused < 3; refused++) {
      const client = begin('x'.repeat(300 * KIB), 400 * KIB);
      expect(await client.untilEnd()).toMatch(/^HTTP\/1.1 503 Service Unavailable\r\n/);
    }
    const small = begin('{"a":1}', 7);
    expect(answersIn(await small.until(/\}$/))).toMatchObject([{ status: 200, body: { a: 1 } }]);
    patient.write(`${' '.repeat(KIB - 2)}{}`);
    expect(answersIn(await patient.until(/\}$/))).toMatchObject([{ status: 200, body: {} }]);
    await worker.stop('to hear the rest of the log');
    expect(log.about('request.refused').map(({ fields }) => fields)).toEqual([
      { event: 'request.refused', code: 'too_many_bodies', status: 503 },
    ]);
    expect(log.lines.flatMap(({ fields }) => fields.refused ?? [])).toEqual([{ too_many_bodies: 2 }]);
    expect(requests.map(({ type }) => type)).toEqual([
      'request.started',
      'request.succeeded',
      'request.started',
      'request.succeeded',
    ]);
  });
});
