import { expect, it } from 'vitest';
import type { Envelope } from '../../src/dialects/envelope.js';
import { WorkerError } from '../../src/errors.js';
import { Bodies } from '../../src/http/bodies.js';
import { Door, type DoorOptions } from '../../src/http/door.js';
import { send } from '../support/client.js';
import { serveHttp } from '../support/http-server.js';
import { deferred } from '../support/worker.js';

const SIGNED: Envelope = {
  payload: '{"a":1}',
  sessionId: null,
  auth: {
    signedText: 'text',
    signature: 'of it',
    url: 'http://w',
    endpoint: 'e',
    reqnum: 1,
    requestIdx: 1,
    cost: 1,
    data: {},
  },
};

/** What becomes of a request to a door, and what is held before and after. */
async function opened(body: string, envelope: Envelope | null, isGenuine = true) {
  const bodies = new Bodies({ limitBytes: 1000, uncheckedLimitBytes: 1000 });
  const [asked, answered] = [deferred(), deferred<boolean>()];
  const options: DoorOptions = {
    openEnvelope: () => (envelope === null ? { ok: false, fields: null } : { ok: true, envelope }),
    unsigned: 'refused',
    unsecured: false,
    urls: () => null,
    keys: {
      hasKey: true,
      verify: () => isGenuine,
      need: () => {},
      renew: () => {
        asked.resolve();
        return answered.promise;
      },
    },
    replays: null,
    repeats: null,
    bodies,
    onUnsigned: () => {},
  };
  const door = new Door(options);
  const outcome = deferred<unknown>();
  const { port } = await serveHttp((request, response) => {
    door.open({ method: 'POST', public: false }, request).then(
      ({ json }) => outcome.resolve(json),
      (error) => outcome.resolve(error instanceof WorkerError ? error.code : error),
    );
    response.end();
  });
  void send(port, '/', { method: 'POST', body });
  return { bodies, asked: asked.promise, answer: answered.resolve, outcome: outcome.promise };
}

it.each<[what: string, body: string, envelope: Envelope | null, outcome: unknown]>([
  ['is let in', '{"payload":{"a":1}}', SIGNED, { a: 1 }],
  ['is empty', '', SIGNED, 'invalid_json'],
  ['has no envelope', 'nonsense', null, 'invalid_json'],
  ['is not signed', '{}', { ...SIGNED, auth: null }, 'unsigned'],
  ['has a payload that is no JSON', '{}', { ...SIGNED, payload: 'x' }, 'invalid_json'],
])('the body of a request that %s is held no more', async (_what, body, envelope, expected) => {
  const { bodies, outcome } = await opened(body, envelope);
  expect(await outcome).toEqual(expected);
  expect(bodies.heldBytes).toBe(0);
});

it('a body is held for as long as its signature is in doubt', async () => {
  const { bodies, asked, answer, outcome } = await opened('{"payload":{}}', SIGNED, false);
  await asked;
  expect(bodies.heldBytes).toBe('{"payload":{}}'.length);
  answer(true);
  expect(await outcome).toBe('invalid_signature');
  expect(bodies.heldBytes).toBe(0);
});
