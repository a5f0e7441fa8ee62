import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Rig, startRig } from '../conformance/rig.js';
import { type Answer, send } from '../support/client.js';

/** Fixed, so that a failure is the same each time; another seed in the environment looks elsewhere. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_124);

const RUNS = { numRuns: 350, seed: SEED } as const;

/** Statuses that the worker may answer by itself to whatever comes. 503 without a key or while it does not accept. */
const OURS = new Set([200, 201, 204, 400, 401, 404, 405, 408, 410, 413, 415, 422, 429, 431, 503]);

const PATHS = [
  '/v1/completions',
  '/serial/one',
  '/impatient',
  '/v1/models',
  '/session/create',
  '/session/get',
  '/session/health',
  '/session/end',
  '/pyworker/update',
];

/** Values that are wrong in as many ways as one can think of. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, -0, 2 ** 53, 1.5, '', '\u0000', '__proto__', [], {}),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.double(),
  fc.jsonValue({ maxDepth: 3 }),
  fc.constant(nested(2_000)),
);

function nested(depth: number): unknown {
  return JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
}

/** An object that is as it should be, or nearly: some of its members are odd, missing, or not known. */
function nearly(shape: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const members = Object.fromEntries(
    Object.entries(shape).map(([name, right]) => [
      name,
      fc.oneof({ weight: 5, arbitrary: right }, { weight: 1, arbitrary: odd }),
    ]),
  );
  return fc.oneof(
    { weight: 6, arbitrary: fc.record(shape) },
    { weight: 3, arbitrary: fc.record({ ...members, newer: odd }) },
    { weight: 2, arbitrary: fc.record({ ...members, newer: odd }, { requiredKeys: [] }) },
    { weight: 1, arbitrary: odd },
  );
}

/** What a run is made of, without what only the running worker knows. */
const authData = nearly({
  cost: fc.nat(),
  endpoint: fc.constant('my-endpoint'),
  reqnum: fc.nat(),
  request_idx: fc.nat(),
  signature: fc.oneof(fc.base64String({ maxLength: 400 }), fc.constant('A'.repeat(344))),
  url: fc.constantFrom('http://127.0.0.1:1', 'THE-URL'),
});

const sessionId = fc.oneof(fc.constantFrom<unknown>(null, 'THE-SESSION', 'nobody'), odd);

const bodies = fc.oneof(
  nearly({
    auth_data: authData,
    payload: nearly({
      max_tokens: fc.nat({ max: 3 }),
      lifetime: fc.nat(),
      on_close_route: fc.constantFrom('/close', 'http://elsewhere', '//elsewhere', '/../..'),
      on_close_payload: odd,
    }),
    session_id: sessionId,
    session_auth: authData,
  }),
  odd,
);

const token = fc.constantFrom('x', 'accept', 'authorization', 'cookie', 'te', 'expect', 'x-forwarded-for');
const headerValue = fc.oneof(
  fc.constantFrom('', 'Bearer the-wrong-token', 'Basic x', 'chunked', '100-continue', 'x'.repeat(2_000)),
  fc.string({ unit: fc.constantFrom(...'aZ09 ,;="\'\\/\t\u00e9'), maxLength: 30 }),
);
const contentType = fc.oneof(
  { weight: 6, arbitrary: fc.constant('application/json') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('text/plain', 'application/json; charset=utf-16', ';', 'a/b+json'),
  },
);

const requests = fc.record({
  path: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...PATHS) },
    { weight: 1, arbitrary: fc.webPath().map((path) => `/${path.replaceAll('[', '%5B')}`) },
  ),
  query: fc.oneof(
    fc.constant(''),
    fc.webQueryParameters().map((query) => `?${query}`),
  ),
  method: fc.oneof(
    { weight: 8, arbitrary: fc.constant('POST') },
    { weight: 1, arbitrary: fc.constantFrom('GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH') },
  ),
  headers: fc.dictionary(token, headerValue, { maxKeys: 3 }),
  contentType,
  body: bodies,
  isCut: fc.boolean(),
});

type Generated = typeof requests extends fc.Arbitrary<infer T> ? T : never;

/** Sends what was generated, with what only the running worker knows in its places. */
function sendOut(
  rig: Rig,
  { path, query, method, headers, contentType: type, body, isCut }: Generated,
  id: string,
) {
  const text = JSON.stringify(body)?.replaceAll('THE-URL', rig.url).replaceAll('THE-SESSION', id) ?? '';
  const sent = isCut ? text.slice(0, text.length / 2) : text;
  return send(rig.port, path + query, {
    method,
    headers: { ...headers, 'content-type': type },
    body: method === 'GET' ? undefined : sent,
  });
}

/** All that a request may not change before it has proved who it is. */
function stateOf({ worker, requests: events, autoscaler, model }: Rig) {
  const { ledger, completions, sessions, requestsQueued, state, errorMessage, maxPerf } = worker.view();
  const { diskGib: _, ...totals } = ledger.totals;
  return {
    totals,
    completions,
    sessions,
    requestsQueued,
    state,
    errorMessage,
    maxPerf,
    events: events.length,
    finished: autoscaler.finished.length,
    // A route that is public needs no proof, and counts nowhere.
    model: model.requests.filter(({ path }) => path !== '/v1/models').length,
  };
}

async function startFuzzed(): Promise<Rig> {
  // Of the sessions none may expire meanwhile, and the door may be knocked at without end.
  return startRig({ env: { TSWORKER_MAX_SESSIONS: '0', TSWORKER_UPDATE_FILE: '/no/such/folder/file' } });
}

async function expectServed(rig: Rig, expected = 200): Promise<void> {
  expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(expected);
}

function expectOurs({ status, body }: Answer): void {
  expect({ status, body: OURS.has(status) ? undefined : body }).toEqual({ status, body: undefined });
  if (status === 503)
    expect(body).toMatchObject({ error: expect.stringMatching(/^(not_accepting|no_public_key)$/) });
}

it('without a proof whatever comes is answered with an error of ours, and changes nothing', async () => {
  const rig = await startFuzzed();
  const { id, auth } = await rig.hold({ lifetime: 86_400 });
  const before = stateOf(rig);
  const session = { session_id: id, session_auth: auth };
  const expiresAt = async () => {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(session);
    const answer = await send(rig.port, '/session/get', { method: 'POST', headers, body });
    return (answer.body as { expiration: number }).expiration;
  };
  const expiration = await expiresAt();
  await fc.assert(
    fc.asyncProperty(requests, async (given) => {
      expectOurs(await sendOut(rig, given, id));
      expect(stateOf(rig)).toEqual(before);
    }),
    RUNS,
  );
  // The clock of the day and the monotonic one drift by microseconds.
  expect(Math.abs((await expiresAt()) - expiration)).toBeLessThan(0.05);
  await expectServed(rig);
});

it('with a valid signature whatever the rest is has no error of ours that a client would try again', async () => {
  const rig = await startFuzzed();
  const { id } = await rig.hold({ lifetime: 86_400 });
  const payloads = fc.oneof(
    nearly({
      max_tokens: fc.nat({ max: 3 }),
      stream: fc.boolean(),
      lifetime: fc.double({ min: 1, max: 1_000, noNaN: true }),
      on_close_route: fc.constantFrom('/close', 'http://elsewhere', '/../..'),
      on_close_payload: odd,
    }),
  );
  const signed = fc.record({
    path: fc.constantFrom('/v1/completions', '/serial/one', '/session/create'),
    payload: payloads,
    more: fc.dictionary(fc.string({ maxLength: 5 }), odd, { maxKeys: 2 }),
    session_id: fc.oneof({ weight: 3, arbitrary: fc.constantFrom<unknown>(null, 'THE-SESSION') }, odd),
    cost: fc.nat({ max: 100 }),
  });
  await fc.assert(
    fc.asyncProperty(signed, async ({ path, payload, more, session_id, cost }) => {
      const auth_data = { ...more, ...rig.authFor({ cost }) };
      const session = session_id === 'THE-SESSION' ? id : session_id;
      const body = JSON.stringify({ auth_data, payload, session_id: session });
      const headers = { 'content-type': 'application/json' };
      const answer = await send(rig.port, path, { method: 'POST', headers, body });
      expectOurs(answer);
      if (answer.status !== 201) return;
      // A session may be looked at and ended with what it was made of, whatever that is.
      const reference = {
        session_id: (answer.body as { session_id: string }).session_id,
        session_auth: auth_data,
      };
      for (const call of ['get', 'health', 'end']) {
        const told = await send(rig.port, `/session/${call}`, {
          method: 'POST',
          headers,
          body: JSON.stringify(reference),
        });
        expect({ call, status: told.status }).toEqual({ call, status: 200 });
      }
    }),
    { ...RUNS, numRuns: 200 },
  );
  await expectServed(rig);
  expect(rig.worker.view()).toMatchObject({ state: 'serving', requestsQueued: 0 });
});
