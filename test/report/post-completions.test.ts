import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { createActor, waitFor } from 'xstate';
import { z } from 'zod';
import { type CompletionsEmitted, completionsMachine } from '../../machines/completions.js';
import { size } from '../../machines/outbox.js';
import type { CompletionsForm } from '../../src/dialects/current/completions.js';
import { createReportAgent } from '../../src/report/post.js';
import { createPostCompletions } from '../../src/report/post-completions.js';
import { serveHttp } from '../support/http-server.js';
import { COMPLETIONS_INPUT, completion } from '../support/machines/completions.js';

const newest = z.object({ requests: z.array(z.object({ request_idx: z.number() })) });
const older = z.object({ request_idxs: z.array(z.number()) });
const bodySchema = z.union([
  newest.transform(({ requests }) => requests.map(({ request_idx }) => request_idx)),
  older.transform(({ request_idxs }) => request_idxs),
]);

/** An autoscaler that answers 413 to a body of more bytes than it takes, before it has read it if `early`. */
async function autoscaler(mostBytes: number, early = false) {
  const taken: number[] = [];
  const statuses: number[] = [];
  const { url } = await serveHttp(async (request, response) => {
    const isTooLarge = Number(request.headers['content-length']) > mostBytes;
    statuses.push(isTooLarge ? 413 : 200);
    if (isTooLarge && early) {
      response.writeHead(413).end();
      request.resume();
      return;
    }
    const body = await text(request);
    if (isTooLarge) response.writeHead(413).end();
    else {
      taken.push(...bodySchema.parse(JSON.parse(body)));
      response.end('{}');
    }
  });
  return { url, taken, statuses };
}

/** Tells of so many finished requests, and resolves when nothing is left to tell. */
async function tell(address: string, count: number, form: CompletionsForm) {
  const dispatcher = createReportAgent(1_000);
  const sender = { id: 7, mtoken: 'the-master-token', timeoutMs: 10_000, dispatcher };
  const post = createPostCompletions({ ...sender, form, now: () => performance.now() });
  const actor = createActor(completionsMachine.provide({ actors: { post } }), {
    input: {
      ...COMPLETIONS_INPUT,
      addresses: [address],
      batchLimit: 2_000,
      limit: 20_000,
      backOff: { baseMs: 1, capMs: 1 },
      gapMs: 1,
    },
  }).start();
  onTestFinished(async () => {
    actor.stop();
    await dispatcher.destroy();
  });
  const emitted: CompletionsEmitted[] = [];
  actor.on('*', (event) => emitted.push(event));
  const completions = Array.from({ length: count }, (_, index) => completion(index));
  actor.send({ type: 'requests.finished', completions });
  const { context } = await waitFor(
    actor,
    (snapshot) => snapshot.matches('quiet') && size(snapshot.context.outbox) === 0,
    { timeout: 60_000 },
  );
  return { emitted, dropped: context.outbox.dropped };
}

const ALL = Array.from({ length: 5_000 }, (_, index) => index);

it.each<[form: CompletionsForm, mostBytes: number, early: boolean]>([
  ['requests', 100_000, false],
  ['requests', 100_000, true],
  ['request_idxs', 2_000, false],
])(
  'all of %s are told to an autoscaler that takes %i bytes in one post, early %s',
  async (form, most, early) => {
    const { url, taken, statuses } = await autoscaler(most, early);
    const { dropped } = await tell(url, ALL.length, form);
    expect(taken).toEqual(ALL);
    expect([dropped, new Set(statuses)]).toEqual([0, new Set([200, 413])]);
  },
);

it('one that is too large even alone is given up, which is told, and the rest is not', async () => {
  const shortest = JSON.stringify({
    worker_id: 7,
    mtoken: 'the-master-token',
    request_idxs: [1],
    success: true,
  }).length;
  const { url, taken } = await autoscaler(shortest);
  const { emitted, dropped } = await tell(url, 12, 'request_idxs');
  expect(taken).toEqual(ALL.slice(0, 10));
  expect(refusals(emitted).toSorted((a, b) => a.requestIdx - b.requestIdx)).toEqual([
    { type: 'completions.refused', requestIdx: 10, address: url, total: expect.any(Number) },
    { type: 'completions.refused', requestIdx: 11, address: url, total: expect.any(Number) },
  ]);
  expect(dropped).toBe(2);
});

const refusals = (emitted: readonly CompletionsEmitted[]) =>
  emitted.flatMap((event) => (event.type === 'completions.refused' ? [event] : []));

/** An autoscaler that answers as it is told, and takes what it answers 200. */
async function answering(answer: (requestIdxs: readonly number[], post: number) => number) {
  const posts: { readonly status: number; readonly told: readonly number[] }[] = [];
  const { url } = await serveHttp(async (request, response) => {
    const told = bodySchema.parse(JSON.parse(await text(request)));
    const status = answer(told, posts.length + 1);
    posts.push({ status, told });
    response.writeHead(status).end();
  });
  const taken = () => posts.flatMap(({ status, told }) => (status === 200 ? told : []));
  return { url, posts, taken };
}

it.each([400, 413, 422])('one that is answered %i is given up, and holds nobody up', async (status) => {
  const { url, taken } = await answering((told) => (told.includes(5) ? status : 200));
  const { emitted, dropped } = await tell(url, 12, 'requests');
  expect(taken()).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]);
  expect([refusals(emitted), dropped]).toEqual([
    [{ type: 'completions.refused', requestIdx: 5, address: url, total: 1 }],
    1,
  ]);
});

it.each([400, 413, 422])(
  'an autoscaler that answers everything %i for a while is told all of it later',
  async (status) => {
    const { url, taken } = await answering((_, post) => (post <= 30 ? status : 200));
    const { emitted, dropped } = await tell(url, 12, 'requests');
    expect(taken().toSorted((a, b) => a - b)).toEqual(ALL.slice(0, 12));
    expect([refusals(emitted), dropped]).toEqual([[], 0]);
  },
);

it.each([401, 403, 404, 408, 429, 500, 503])(
  'an answer of %i says nothing of what was told: all of it is told again, and none is given up',
  async (status) => {
    const { url, posts } = await answering((_, post) => (post <= 30 ? status : 200));
    const { dropped } = await tell(url, 12, 'requests');
    expect(posts.map(({ told }) => told)).toEqual(Array(31).fill(ALL.slice(0, 12)));
    expect(dropped).toBe(0);
  },
);
