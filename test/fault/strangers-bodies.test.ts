import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { answersIn } from '../support/client.js';
import { startBeforeModel } from '../support/faults-model.js';

const STRANGERS = 10;
const BODY_BYTES = 60 << 20;
const LIMIT_MIB = 128;
const CHUNK = Buffer.alloc(1 << 20, ' ');

/** What the pieces of bodies cost beside their bytes, and what the heap has grown by. */
const MOST_BESIDES_MIB = 150;

/** Who sends nearly all of a body, for as long as the connection is open, and is told something or nothing. */
class Stranger {
  readonly #socket: Socket;
  received = '';
  isClosed = false;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    onTestFinished(() => void this.#socket.destroy());
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.isClosed = true;
    });
    this.#socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
    });
  }

  async sends(): Promise<void> {
    const socket = this.#socket;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(
      `POST /v1/completions HTTP/1.1\r\nHost: w\r\nContent-Type: application/json\r\nContent-Length: ${BODY_BYTES + 1}\r\n\r\n`,
    );
    for (let sent = 0; sent < BODY_BYTES && !socket.destroyed; sent += CHUNK.length) {
      if (socket.write(CHUNK)) continue;
      await Promise.race([new Promise<void>((resolve) => socket.once('drain', () => resolve())), closed]);
    }
  }
}

it(`${STRANGERS} strangers who never finish their large bodies: memory has a limit, and who is genuine is served`, async () => {
  const { worker, ask } = await startBeforeModel({
    env: { TSWORKER_UNCHECKED_BODIES_LIMIT: `${LIMIT_MIB}MiB` },
  });
  await worker.reaches('serving');
  expect((await ask()).statusCode).toBe(200);
  const before = worker.program.resources();

  const strangers = Array.from({ length: STRANGERS }, () => new Stranger(worker.port));
  await Promise.all(strangers.map((stranger) => stranger.sends()));
  const refused = () => strangers.filter(({ isClosed }) => isClosed);
  // Two of 60 MiB find room; of those that come at once more may be refused. What the system has taken of the others
  // the worker may have yet to read.
  await expect.poll(() => refused().length, { timeout: 10_000 }).toBeGreaterThanOrEqual(STRANGERS - 2);
  // Of who still sends the answer may be lost to the reset that follows it.
  const answers = refused().flatMap(({ received }) => (received === '' ? [] : answersIn(received)));
  expect(answers.length).toBeGreaterThanOrEqual(refused().length / 2);
  for (const answer of answers) {
    expect(answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1', connection: 'close' },
      body: { error: 'too_many_bodies' },
    });
  }
  const during = worker.program.resources();
  expect(during.rssMib - before.rssMib).toBeLessThan(LIMIT_MIB + MOST_BESIDES_MIB);
  expect((await ask()).statusCode).toBe(200);
  expect(worker.told('request.refused').map(({ code }) => code)).toEqual(['too_many_bodies']);
  const { totals } = (await worker.status()).ledger;
  expect([totals.received, totals.rejected]).toEqual([8, 0]);
  console.info(JSON.stringify({ before, during }));
});
