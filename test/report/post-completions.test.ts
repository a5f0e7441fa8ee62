import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { createActor, waitFor } from 'xstate';
import { z } from 'zod';
import { type CompletionsEmitted, completionsMachine } from '../../machines/completions.js';
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
    (snapshot) => snapshot.matches('quiet') && snapshot.context.outbox.queue.first === count,
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
  expect(emitted.filter(({ type }) => type === 'completions.refused')).toEqual([
    { type: 'completions.refused', requestIdx: 10, address: url, total: 1 },
    { type: 'completions.refused', requestIdx: 11, address: url, total: 2 },
  ]);
  expect(dropped).toBe(2);
});
