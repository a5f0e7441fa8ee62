import { text } from 'node:stream/consumers';
import { expect, it, vi } from 'vitest';
import { Crowd, crowdOf } from '../support/faults-crowd.js';
import { startBeforeModel } from '../support/faults-model.js';

const IDLE = crowdOf(10_000, { hasModel: true });

/** A connection costs its buffers and Node's objects: 10 KiB or so, and what V8 has not given back yet. */
const MOST_KIB_EACH = 40;

/** What a process goes up and down by, however few they are. */
const NOISE_MIB = 20;

it(`${IDLE} idle connections that are kept: others are served, memory is bounded, and nothing is left when they go`, async () => {
  const { worker, ask } = await startBeforeModel();
  await worker.reaches('serving');
  const serves = async (requests: number) => {
    // Each asks for so many tokens as no other, so that no answer can be that of another.
    const counts = Array.from({ length: requests }, (_, index) => index + 1);
    const answers = await Promise.all(counts.map(async (max_tokens) => text(await ask({ max_tokens }))));
    expect(answers.map((answer) => answer.match(/tok\d+/g)?.length)).toEqual(counts);
  };
  await serves(20);
  const before = worker.program.resources();

  const crowd = new Crowd(worker.port, IDLE, 'idle');
  await crowd.ready();
  const during = worker.program.resources();
  expect(during.sockets - before.sockets).toBeGreaterThanOrEqual(IDLE - 50);
  for (let round = 0; round < 5; round++) await serves(20);
  expect(((during.rssMib - before.rssMib - NOISE_MIB) * 1_024) / IDLE).toBeLessThan(MOST_KIB_EACH);

  await crowd.leaves();
  const after = await vi.waitFor(() => {
    const now = worker.program.resources();
    expect(now.sockets - before.sockets).toBeLessThanOrEqual(20);
    return now;
  }, 20_000);
  await serves(20);
  const { ledger } = await worker.status();
  expect(ledger.totals).toMatchObject({ received: 7 * 210, served: 7 * 210, errored: 0, rejected: 0 });
  console.info(JSON.stringify({ before, during, after }));
});
