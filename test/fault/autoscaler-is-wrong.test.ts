import { generateKeyPairSync } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { type Message, Scribe, sumsOf } from '../conformance/scribe.js';
import { anInstance, Crowd } from '../support/faults-journal.js';
import { startBeforeModel } from '../support/faults-model.js';

/** What stands between some machines and the rest of the world answers everything like this. */
const PAGE = '<!doctype html><title>Please log in</title>';

const ofAnotherKind = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const EC_KEY = ofAnotherKind.publicKey.export({ type: 'spki', format: 'pem' }).toString();

const isKey = ({ path }: Message) => path === '/pubkey/';

it('everything is answered with 200 and a page, the key too: no request is let in, until the key is one', async () => {
  const autoscaler = await Scribe.start();
  const keys = () => autoscaler.messages.filter(isKey).length;
  autoscaler.misdeed = (message) => ({ says: isKey(message) && keys() > 1 ? EC_KEY : PAGE });
  const { worker, ask } = await startBeforeModel({ autoscaler, env: { TSWORKER_LOG_LEVEL: 'debug' } });
  const refused = async () => {
    const answer = await ask();
    const { error } = Object(JSON.parse(await text(answer)));
    return [answer.statusCode, answer.headers['retry-after'], error];
  };
  await worker.logged(({ event }) => event === 'key.fetch.failed');
  expect(await refused()).toEqual([503, '5', 'no_public_key']);
  await worker.logged(({ event, reason }) => event === 'key.fetch.failed' && String(reason).includes('RSA'));
  expect(await refused()).toEqual([503, '5', 'no_public_key']);
  expect(worker.told('key.fetch.failed').map(({ reason }) => reason)).toEqual([
    'This is no public key in PEM.',
    'This public key is not one for RSA.',
  ]);
  const { state, ledger } = await worker.status();
  expect([state, ledger.totals.requests]).toEqual(['loading', 0]);

  autoscaler.misdeed = () => undefined;
  await worker.reaches('serving');
  expect((await ask()).statusCode).toBe(200);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: 4, rej_load: 0, cur_perf: 4 });
  expect(autoscaler.finished).toHaveLength(1);
  // An answer of 200 that was read is an answer, whatever it says.
  expect(worker.log.filter(({ level }) => level >= 40)).toEqual([]);
});

it.each([401, 422])(
  'each message is refused with %i: clients are served, and all is told once when it is taken again',
  async (status) => {
    const { autoscaler, start } = await anInstance();
    const worker = await start();
    const crowd = new Crowd(worker);
    expect(await crowd.ask()).toBe(true);
    await autoscaler.untilFinished(1);
    await autoscaler.untilStatus(({ num_requests_recieved }) => num_requests_recieved === 1);
    autoscaler.misdeed = () => status;
    const refused = (path: string) =>
      autoscaler.messages.filter((message) => message.path === path && !message.acknowledged).length;
    await Promise.all(Array.from({ length: 20 }, () => crowd.ask()));
    await autoscaler.until(() => refused('/worker_status/') >= 5 && refused('/delete_requests/') >= 2);
    await Promise.all(Array.from({ length: 20 }, () => crowd.ask()));
    expect(crowd.answeredAtMs.size).toBe(41);
    const { state, ledger } = await worker.status();
    expect([state, ledger.unreported.load]).toEqual(['serving', 40]);

    autoscaler.misdeed = () => undefined;
    await autoscaler.until(() => autoscaler.finished.length === 41);
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: 41, rej_load: 0, cur_perf: 41 });
    expect(new Set(autoscaler.finished.map(({ request_idx }) => request_idx)).size).toBe(41);
    const complaints = worker.log.filter(({ level, event }) => level >= 40 && event !== undefined);
    expect(complaints.map(({ event }) => event).toSorted()).toEqual([
      'completions.outage.began',
      'outage.began',
    ]);
    for (const { msg } of complaints) expect(msg).toContain(`it answered with status ${status}`);
    expect([worker.told('outage.ended').length, worker.told('completions.outage.ended').length]).toEqual([
      1, 1,
    ]);
    expect(worker.told('state.entered').map(({ state: entered }) => entered)).toEqual([
      ...['loading', 'loaded', 'serving', 'draining', 'stopped'],
    ]);
  },
);
