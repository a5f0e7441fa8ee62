import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inTurn } from '../../src/net/in-turn.js';
import { answersIn, RawClient } from '../support/client.js';
import { deferred } from '../support/worker.js';

const MOST = 10_000;
const FEW = 16;

const requestFor = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: w\r\n${headers}\r\n`;

/** A server whose requests have their turn, and that knows how many Node has handed out. */
async function serveInTurn(answer: RequestListener) {
  let [handedOut, tooMany] = [0, 0];
  const turns = inTurn(answer, () => tooMany++);
  const server = createServer((request, response) => {
    handedOut += 1;
    turns(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  let expected = 0;
  /** One request that takes long, and so many behind it, of which the last ends the connection. */
  const sendAhead = async (count: number) => {
    const client = new RawClient(port).write(
      requestFor('/slow') +
        requestFor('/quick').repeat(count - 1) +
        requestFor('/quick', 'Connection: close\r\n'),
    );
    expected += count + 1;
    await expect.poll(() => handedOut, { timeout: 10_000 }).toBe(expected);
    return client;
  };
  return { port, sendAhead, tooMany: () => tooMany };
}

describe('requests ahead', () => {
  it('are kept up to a number in all; then who brings more is cut, unless it has few', async () => {
    const running = deferred();
    const { sendAhead, tooMany } = await serveInTurn((request, response) => {
      if (request.url === '/quick') response.end('quick');
      else void running.promise.then(() => response.end('slow'));
    });
    const full = await sendAhead(MOST);
    const few = await sendAhead(FEW);
    expect(tooMany()).toBe(0);
    const oneTooMany = await sendAhead(FEW + 1);
    expect(await oneTooMany.untilEnd()).toBe('');
    expect([tooMany(), full.ended, few.ended]).toEqual([1, 'open', 'open']);

    // Whoever has gone holds no place any more.
    full.socket.destroy();
    await full.closed;
    const free = await sendAhead(FEW + 1);
    running.resolve();
    for (const [client, count] of [
      [few, FEW],
      [free, FEW + 1],
    ] as const) {
      const bodies = answersIn(await client.untilEnd()).map(({ body }) => body);
      expect(bodies).toEqual(['slow', ...Array(count).fill('quick')]);
    }
    expect(tooMany()).toBe(1);
  });

  it('begin one a turn of the loop, so that others come between', async () => {
    const running = deferred();
    const inTurns: number[] = [];
    let inThisTurn = 0;
    const { sendAhead } = await serveInTurn((request, response) => {
      if (request.url === '/slow') {
        void running.promise.then(() => response.end('slow'));
        return;
      }
      inThisTurn += 1;
      if (inThisTurn === 1) {
        setImmediate(() => {
          inTurns.push(inThisTurn);
          inThisTurn = 0;
        });
      }
      response.end('quick');
    });
    const client = await sendAhead(50);
    running.resolve();
    expect(answersIn(await client.untilEnd())).toHaveLength(51);
    expect(inTurns).toEqual(Array(50).fill(1));
  });
});
