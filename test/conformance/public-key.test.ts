import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { nobody } from '../support/model-server.js';
import { untilState } from '../support/worker.js';
import { backendFor, rigAround, startModel, startRig } from './rig.js';
import { Scribe } from './scribe.js';

const realTimeout = setTimeout;

const LEAST_REFETCH_MS = 59_000;

/** The time of timers passes as the test says; sockets and promises are real. */
function fakeTime() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  return {
    /** Lets time pass in steps, each long enough for real answers to arrive, until it is as asked. */
    async passUntil(isSo: () => boolean, stepMs = 500): Promise<number> {
      let passedMs = 0;
      while (!isSo()) {
        vi.advanceTimersByTime(stepMs);
        passedMs += stepMs;
        await new Promise<void>((resolve) => realTimeout(resolve, 2));
        await turn();
      }
      return passedMs;
    },
  };
}

const isKey = ({ path }: { path: string }) => path === '/pubkey/';

describe('GET {REPORT_ADDR}/pubkey/', () => {
  it('is asked at the start, once where it answers', async () => {
    const rig = await startRig();
    await rig.ask('/v1/completions', { max_tokens: 1 });
    expect(rig.autoscaler.messages.filter(isKey).map(({ method, body }) => [method, body])).toEqual([
      ['GET', undefined],
    ]);
    expect(rig.worker.view().key).toBe('held');
  });

  it.each([500, 'reset'] as const)(
    'is asked again when it fails (%s), and the worker serves then',
    async (how) => {
      const [autoscaler, model] = [await Scribe.start(), await startModel()];
      let failures = 0;
      autoscaler.misdeed = (message) => (isKey(message) && failures++ < 1 ? how : undefined);
      const rig = await rigAround(autoscaler, model, backendFor(model));
      expect(autoscaler.messages.filter(isKey)).toHaveLength(2);
      expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(200);
    },
  );

  it('is asked of each address of a comma list', async () => {
    const [autoscaler, model, dead] = [await Scribe.start(), await startModel(), await nobody()];
    const rig = await rigAround(autoscaler, model, backendFor(model), {
      REPORT_ADDR: `${dead.url},${autoscaler.url}`,
    });
    expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(200);
  });

  it('until the key is there a signed request gets 503 with no_public_key, and counts nowhere', async () => {
    const [autoscaler, model] = [await Scribe.start(), await startModel()];
    autoscaler.misdeed = (message) => (isKey(message) ? 500 : undefined);
    const rig = await rigAround(autoscaler, model, backendFor(model), {}, true);
    expect(await rig.ask('/v1/completions', {})).toMatchObject({
      status: 503,
      body: { error: 'no_public_key' },
    });
    expect(rig.requests).toEqual([]);
  });

  it('is tried for ever; after 60 s a status carries it as error_msg, and getting the key clears it', async () => {
    const time = fakeTime();
    const [autoscaler, model] = [await Scribe.start(), await startModel()];
    autoscaler.misdeed = (message) => (isKey(message) ? 500 : undefined);
    const rig = await rigAround(
      autoscaler,
      model,
      backendFor(model),
      { TSWORKER_REPORT_INTERVAL: '10s' },
      true,
    );
    const hasError = () => autoscaler.statuses.at(-1)?.error_msg !== '';
    const passedMs = await time.passUntil(() => autoscaler.statuses.length > 0 && hasError());
    expect(passedMs).toBeGreaterThanOrEqual(58_000);
    expect(passedMs).toBeLessThan(75_000);
    expect(autoscaler.statuses.at(-1)?.error_msg).toContain('public key');
    autoscaler.misdeed = () => undefined;
    await time.passUntil(() => autoscaler.statuses.at(-1)?.error_msg === '');
    await time.passUntil(() => rig.worker.view().state === 'serving');
  });
});

it('a signature that does not verify makes the worker ask for the key again, at most once a minute', async () => {
  const time = fakeTime();
  const rig = await startRig({ env: { TSWORKER_REPORT_INTERVAL: '10s' } });
  await untilState(rig.worker, 'serving');
  const fetched = () => rig.autoscaler.messages.filter(isKey).length;
  // The key was fetched a moment ago, but not because of a signature.
  rig.autoscaler.changeKey();
  expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(200);
  expect(fetched()).toBe(2);
  for (let attempt = 0; attempt < 5; attempt++) {
    expect((await rig.ask('/v1/completions', {}, { auth: { signature: 'AAAA' } })).status).toBe(401);
  }
  expect(fetched()).toBe(2);
  rig.autoscaler.changeKey();
  expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(401);
  const passedMs = await time.passUntil(() => fetched() === 3);
  expect(passedMs).toBeGreaterThanOrEqual(LEAST_REFETCH_MS);
  await time.passUntil(() => rig.worker.view().key === 'held');
  expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(200);
});

it('a key that can not be fetched again leaves the old one in force', async () => {
  const time = fakeTime();
  const rig = await startRig({ env: { TSWORKER_REPORT_INTERVAL: '10s' } });
  const fetched = () => rig.autoscaler.messages.filter(isKey).length;
  rig.autoscaler.misdeed = (message) => (isKey(message) ? 500 : undefined);
  await rig.ask('/v1/completions', {}, { auth: { signature: 'AAAA' } });
  await time.passUntil(() => fetched() >= 2);
  expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(200);
});
