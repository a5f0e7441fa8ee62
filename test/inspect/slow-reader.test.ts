import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import express from 'express';
import { expect, it, onTestFinished } from 'vitest';
import type { Now } from '../../src/inspect/contract.js';
import { serverSentEvents } from '../../src/inspect/event-stream.js';
import { Moments } from '../../src/inspect/moments.js';
import { Ring } from '../../src/inspect/ring.js';
import type { Reader, Source } from '../../src/inspect/source.js';
import { Stream } from '../../src/inspect/stream.js';
import { serveHttp } from '../support/http-server.js';

const KIB = 1024;

/** Something to look at, of which the test says what happens; and who looks. */
class Stage implements Source {
  readonly readers = new Set<Reader>();
  readonly ring = new Ring({ count: 500, bytes: 512 * KIB });
  seq = 0;

  happen(): void {
    this.seq += 1;
    const text = JSON.stringify({ seq: this.seq, filler: 'x'.repeat(KIB) });
    this.ring.add({ seq: this.seq, group: 'all', ofRequest: false, text });
    for (const reader of this.readers) reader.onNews();
  }

  now = () => ({ seq: this.seq, atMs: 0, timeline: [], worker: { inStateMs: 0 } }) as unknown as Now;
  samples = () => [];
  happened = 0;
  header = () => ({ recording: 1, version: '', machines: {}, backend: '', startedAtMs: 0 }) as const;
  after = (seq: number) => this.ring.after(seq);
  linesAfter = (last: number) => ({ last, lines: [] });
  subscribe(reader: Reader) {
    this.readers.add(reader);
    return () => this.readers.delete(reader);
  }
}

async function open(heartbeatMs = 1000) {
  const stage = new Stage();
  const responses: ServerResponse[] = [];
  const app = express();
  const moments = new Moments(stage);
  app.get('/', (_request, response) => {
    responses.push(response);
    new Stream({ source: stage, moments, response, after: 0, wantsRequests: true, heartbeatMs });
  });
  const { port } = await serveHttp(app);
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await expect.poll(() => stage.readers.size).toBe(1);
  return { stage, socket, response: responses[0] as ServerResponse, port };
}

/** Has things happen until the connection takes no more. */
async function fill(stage: Stage, response: ServerResponse): Promise<void> {
  const more = () => {
    for (let n = 0; n < 100; n++) stage.happen();
    return response.writableNeedDrain;
  };
  await expect.poll(more, { timeout: 10_000 }).toBe(true);
}

/** Somebody who reads all that is told. */
async function quickReader(port: number) {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  if (response.body === null) throw new Error('it answered nothing');
  const events = serverSentEvents(response.body);
  await events.next();
  const until = async (seq: number) => {
    for (;;) {
      const { value, done } = await events.next();
      if (done || value.data.includes(`{"seq":${seq},`)) return;
    }
  };
  return { until };
}

it('a reader that takes nothing has nothing gathered for it, and sees the newest when it reads again, with the gap', async () => {
  const { stage, socket, response, port } = await open();
  const quick = await quickReader(port);
  await fill(stage, response);
  const waiting = response.writableLength;
  for (let n = 0; n < 5_000; n++) stage.happen();
  await quick.until(stage.seq);
  expect(response.writableLength).toBe(waiting);
  expect(waiting).toBeLessThan(256 * KIB);
  const seqs: number[] = [];
  let text = '';
  socket.setEncoding('utf8');
  const isUpToDate = new Promise<void>((resolve) => {
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes(`{"seq":${stage.seq},`)) resolve();
    });
  });
  socket.resume();
  await isUpToDate;
  for (const [, seq] of text.matchAll(/\{"seq":(\d+),"filler"/g)) seqs.push(Number(seq));
  expect(seqs).toEqual(seqs.toSorted((one, other) => one - other));
  expect(new Set(seqs).size).toBe(seqs.length);
  expect(seqs.length).toBeLessThan(stage.seq);
  expect(seqs.at(-1)).toBe(stage.seq);
});

it('a reader that takes nothing for long is cut, and one that reads is not', async () => {
  const { stage, response, port } = await open(50);
  const quick = await quickReader(port);
  const isClosed = new Promise<void>((resolve) => response.once('close', resolve));
  await fill(stage, response);
  await isClosed;
  expect(stage.readers.size).toBe(1);
  stage.happen();
  await quick.until(stage.seq);
});
