import { expect, it } from 'vitest';
import { WorkerError } from '../../src/errors.js';
import { Refusals } from '../../src/http/refusals.js';
import { RecordingLog } from '../../src/testing/recording-log.js';

function refusals() {
  const log = new RecordingLog();
  return { log, refusals: new Refusals(log) };
}

const failed = (reason: string) => new WorkerError('model_failed', undefined, { cause: new Error(reason) });

it('the reason of a failure of the model server is in the log, each reason once in a while', () => {
  const { log, refusals: told } = refusals();
  for (const reason of ['connect ECONNREFUSED', 'read ECONNRESET', 'connect ECONNREFUSED']) {
    told.error(failed(reason));
  }
  expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'answered 500 model_failed: connect ECONNREFUSED'],
    ['warn', 'answered 500 model_failed: read ECONNRESET'],
  ]);
  told.flush();
  expect(log.lines.at(-1)?.message).toBe(
    'and within 10 s, not told one by one: 1 model_failed (connect ECONNREFUSED)',
  );
});

it('one failure of a handler does not hide another', () => {
  const { log, refusals: told } = refusals();
  for (const cause of [new Error('boom'), new TypeError('no BigInt')]) {
    told.error(new WorkerError('backend_error', undefined, { cause }));
  }
  expect(log.lines.map(({ message }) => message.split('\n', 1)[0])).toEqual([
    'the backend failed: Error: boom',
    'the backend failed: TypeError: no BigInt',
  ]);
  told.flush();
});

it('reasons that never end are told apart up to a limit', () => {
  const { log, refusals: told } = refusals();
  for (let index = 0; index < 150; index++) told.error(failed(`reason ${index}`));
  expect(log.lines).toHaveLength(101);
  told.flush();
  expect(log.lines.at(-1)?.message).toBe('and within 10 s, not told one by one: 49 model_failed');
});

it('what a client wrote is not in the log', () => {
  const { log, refusals: told } = refusals();
  told.error(new WorkerError('invalid_request', 'the secret of a client'));
  told.flush();
  expect(log.text).not.toContain('secret');
});

it('clients that take nothing are told once, and counted', () => {
  const { log, refusals: told } = refusals();
  for (let cut = 0; cut < 3; cut++) told.stuck(60_000);
  told.flush();
  expect(log.lines).toEqual([
    {
      level: 'warn',
      message: 'cut a client that took nothing of its answer for 60 s (TSWORKER_CLIENT_TIMEOUT)',
      fields: { event: 'client.stuck', timeoutMs: 60_000 },
    },
    {
      level: 'info',
      message: 'and within 10 s, not told one by one: 2 client_timeout',
      fields: { refused: { client_timeout: 2 } },
    },
  ]);
});
