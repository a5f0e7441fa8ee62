import { expect, it } from 'vitest';
import { sumsOf } from '../conformance/scribe.js';
import { startBeforeModel } from '../support/faults-model.js';

const CLIENTS = 10;
const TOKENS = 4;
const PATIENCE = { timeout: 30_000 };

it('another key under load: what either signed while it held is served, and what the old one signs later is not', async () => {
  const { autoscaler, worker, ask } = await startBeforeModel();
  await worker.reaches('serving');
  const keys = () => autoscaler.messages.filter(({ path }) => path === '/pubkey/').length;
  const answers: { readonly signedBy: 'old' | 'new'; readonly status: number | undefined }[] = [];
  let [signedBy, isOver] = ['old' as 'old' | 'new', false];
  const askAndAsk = async () => {
    while (!isOver) {
      const by = signedBy;
      const { statusCode: status } = await ask();
      answers.push({ signedBy: by, status });
    }
  };
  const countOf = (by: 'old' | 'new') => answers.filter((answer) => answer.signedBy === by).length;
  const clients = Promise.all(Array.from({ length: CLIENTS }, askAndAsk));
  await expect.poll(() => countOf('old'), PATIENCE).toBeGreaterThan(200);
  const ofTheOld = autoscaler.authFor(worker.url).signature;
  autoscaler.changeKey();
  signedBy = 'new';
  await expect.poll(() => countOf('new'), PATIENCE).toBeGreaterThan(200);
  isOver = true;
  await clients;

  const refused = answers.filter(({ status }) => status !== 200);
  // They were on their way when the worker learnt of the new key.
  expect(refused.every(({ signedBy: by, status }) => by === 'old' && status === 401)).toBe(true);
  expect(refused.length).toBeLessThanOrEqual(CLIENTS);
  expect(keys()).toBe(2);

  const served = answers.length - refused.length;
  for (let attempt = 0; attempt < 5; attempt++) {
    expect((await ask({}, { signature: ofTheOld })).statusCode).toBe(401);
  }
  expect((await ask()).statusCode).toBe(200);
  expect(keys()).toBe(2);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  const work = (served + 1) * TOKENS;
  expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: work, rej_load: 0, cur_perf: work });
  expect(autoscaler.finished).toHaveLength(served + 1);
  expect(worker.told('key.held')).toHaveLength(2);
  expect(worker.log.filter(({ level }) => level >= 40)).toEqual([]);
});

it('a key that is none in the place of the one that is held: the old one stays in force', async () => {
  const { autoscaler, worker, ask } = await startBeforeModel({ env: { TSWORKER_LOG_LEVEL: 'debug' } });
  await worker.reaches('serving');
  autoscaler.tellKey('-----BEGIN PUBLIC KEY-----\nnothing of the kind\n-----END PUBLIC KEY-----\n');
  expect((await ask({}, { signature: 'AAAA' })).statusCode).toBe(401);
  await worker.logged(({ event }) => event === 'key.fetch.failed');
  expect((await ask()).statusCode).toBe(200);
  expect((await worker.status()).state).toBe('serving');
});
