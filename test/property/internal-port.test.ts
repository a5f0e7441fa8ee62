import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backendFor, type Rig, rigAround, startModel } from '../conformance/rig.js';
import { Scribe } from '../conformance/scribe.js';
import { type Answer, post, send } from '../support/client.js';

/** Fixed, so that a failure is the same each time; another seed in the environment looks elsewhere. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_124);

const RUNS = { numRuns: 150, seed: SEED, endOnFailure: true } as const;

const TOKEN = 'the-token-of-the-tests';
const MASTER = 'the-master-token';

const PAGES = ['/status', '/livez', '/readyz', '/metrics', '/autoscale/load'];
const REPORTS = ['/report_loading', '/report_loaded', '/report_capacity', '/report_done', '/report_error'];
const OTHERS = ['/session/end', '/session/get', '/pyworker/update', '/v1/completions', '/increment'];
/** Near to a page, for who compares paths in more ways than one. */
const NEAR = [
  '/status/',
  '/STATUS',
  '//status',
  '/%73tatus',
  '/status%00',
  '/x/../status',
  '/livez;x',
  '*',
  '/%',
];

/** All that may be answered here to those who have no business here. */
const REFUSED = new Set([400, 401, 404, 405, 413, 415, 422, 431]);

const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'];

const wrongTokens = ['', 'x', 'mtoken', `${MASTER} `, MASTER.toUpperCase(), `${TOKEN}x`, 'x'.repeat(8_000)];
const schemes = ['Bearer ', 'bearer  ', 'Basic ', 'Token ', '', 'Bearer'];
const authorization = fc.oneof(
  fc.constant(undefined),
  fc.tuple(fc.constantFrom(...schemes), fc.constantFrom(...wrongTokens)).map((parts) => parts.join('')),
  fc.constantFrom(
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Bearer "${TOKEN}"`,
    `Bearer,${TOKEN}`,
  ),
);

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, 5e-324, 2 ** 53, '', '\u0000', '__proto__', [], {}),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.double(),
  fc.jsonValue({ maxDepth: 2 }),
);

/** What a watcher tells, rightly or not. */
const told = fc.record(
  {
    loadtime: fc.oneof(fc.nat(), odd),
    max_perf: fc.oneof(fc.nat(), odd),
    max_batch_tokens: fc.oneof(fc.nat(), odd),
    max_batch_prefill_tokens: fc.oneof(fc.nat(), odd),
    max_capacity: fc.oneof(fc.nat(), odd),
    tokens_per_second: fc.oneof(fc.nat(), odd),
    time_per_token: fc.oneof(fc.double({ min: 0, noNaN: true }), odd),
    error_msg: fc.oneof(fc.string(), odd),
    session_id: fc.oneof(fc.constantFrom('nobody', '__proto__'), odd),
    session_auth: odd,
    newer: odd,
  },
  { requiredKeys: [] },
);

const strangers = fc.record({
  path: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...PAGES, ...REPORTS, ...OTHERS) },
    { weight: 2, arbitrary: fc.constantFrom(...NEAR) },
    { weight: 1, arbitrary: fc.webPath().map((path) => `/${path.replaceAll('[', '%5B')}`) },
  ),
  query: fc.oneof(
    fc.constant(''),
    fc.constantFrom(`?token=${TOKEN}&mtoken=${MASTER}`, '?', '?%', '?__proto__=1'),
  ),
  method: fc.oneof(fc.constantFrom('GET', 'POST'), fc.constantFrom(...METHODS)),
  authorization,
  more: fc.dictionary(
    fc.constantFrom(
      'x-forwarded-for',
      'forwarded',
      'x-http-method-override',
      'content-encoding',
      'expect',
      'range',
    ),
    fc.constantFrom('127.0.0.1', 'POST', 'GET', 'gzip', '100-continue', 'bytes=0-1', ''),
    { maxKeys: 2 },
  ),
  contentType: fc.constantFrom('application/json', 'application/json', 'text/plain', 'a/b+json', ';'),
  mtoken: fc.oneof(fc.constant(undefined), fc.constantFrom<unknown>(...wrongTokens), odd),
  told: fc.oneof({ weight: 5, arbitrary: told }, { weight: 1, arbitrary: odd }),
  isCut: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, fc.constant(true)),
});

type Stranger = typeof strangers extends fc.Arbitrary<infer T> ? T : never;

const isRead = ({ method }: Stranger) => method === 'GET' || method === 'HEAD';

/** The page of the inspector is for everybody, since it holds nothing before it is given the token. */
function isRefused(given: Stranger, status: number): boolean {
  return REFUSED.has(status) || (given.path === '/' && isRead(given) && [200, 503].includes(status));
}

function sendAs({ internalPort }: Rig, given: Stranger): Promise<Answer> {
  const { path, query, method, authorization, more, contentType, mtoken, told, isCut } = given;
  const isObject = typeof told === 'object' && told !== null && !Array.isArray(told);
  const text = JSON.stringify(isObject && mtoken !== undefined ? { ...told, mtoken } : told);
  const body = isCut ? text.slice(0, text.length / 2) : text;
  const headers = {
    ...more,
    'content-type': contentType,
    // Node's client says it of a GET only if it is told to.
    'content-length': String(Buffer.byteLength(body)),
    ...(authorization !== undefined && { authorization }),
  };
  return send(internalPort, path + query, { method, headers, body });
}

async function startRig(dialect: 'current' | 'legacy', env = {}): Promise<Rig> {
  const model = await startModel();
  return rigAround(await Scribe.start(), model, backendFor(model, { dialect, legacyCapacity: true }), env);
}

function stateOf({ worker, requests, model, log }: Rig) {
  const { ledger, sessions, requestsUnderWay, state, errorMessage, maxPerf, loadTimeSeconds } = worker.view();
  const { diskGib: _, ...totals } = ledger.totals;
  const counts = {
    events: requests.length,
    asked: model.requests.length,
    updates: log.about('update.asked').length,
  };
  return { totals, sessions, requestsUnderWay, state, errorMessage, maxPerf, loadTimeSeconds, ...counts };
}

/** All numbers that the autoscaler was told are numbers: one that no double holds would be written as null. */
function expectFinite({ autoscaler }: Rig): void {
  const bodies = autoscaler.bodiesAt('/worker_status/');
  expect(bodies.filter((body) => JSON.stringify(body).includes('null'))).toEqual([]);
}

describe.each(['current', 'legacy'] as const)(
  'the internal port of a worker of the %s dialect',
  (dialect) => {
    it.each(REPORTS)('%s without the right mtoken is refused, however near to it that is', async (path) => {
      const rig = await startRig(dialect);
      const before = stateOf(rig);
      const right = { loadtime: 1, max_perf: 1, max_batch_tokens: 1, tokens_per_second: 1, error_msg: 'x' };
      for (const mtoken of wrongTokens) {
        expect([mtoken, (await post(rig.internalPort, path, { ...right, mtoken })).status]).toEqual([
          mtoken,
          401,
        ]);
      }
      expect(stateOf(rig)).toEqual(before);
    });

    it('without the right token whatever comes is refused or a page, and changes nothing', async () => {
      const rig = await startRig(dialect);
      const before = stateOf(rig);
      await fc.assert(
        fc.asyncProperty(strangers, async (given) => {
          const { status, body } = await sendAs(rig, given);
          const isPage = isRead(given) && PAGES.includes(given.path);
          const isRight = isPage ? status === 200 : isRefused(given, status);
          expect({ isPage, status, body: isRight || body }).toEqual({ isPage, status, body: true });
          expect(stateOf(rig)).toEqual(before);
        }),
        RUNS,
      );
      expectFinite(rig);
      const told = rig.autoscaler.bodiesAt('/worker_status/').at(-1);
      if (dialect === 'legacy') expect(told).toMatchObject({ max_capacity: 0, curr_tokens_per_second: 0 });
    });

    it('with a token of its own it shows no page without it, and tells nothing of what it has', async () => {
      const rig = await startRig(dialect, { TSWORKER_INTERNAL_TOKEN: TOKEN });
      const before = stateOf(rig);
      await fc.assert(
        fc.asyncProperty(strangers, async (given) => {
          const { status, body } = await sendAs(rig, given);
          const expected = PAGES.includes(given.path) ? status === 401 : isRefused(given, status);
          expect({ status, body: expected || body }).toEqual({ status, body: true });
          expect(JSON.stringify(body)).not.toMatch(/tsworker_|alive|ledger/);
          expect(stateOf(rig)).toEqual(before);
        }),
        RUNS,
      );
      const headers = { authorization: `Bearer ${TOKEN}` };
      for (const page of PAGES) expect((await send(rig.internalPort, page, { headers })).status).toBe(200);
    });

    it('with the master token whatever a watcher tells is taken or refused, and none of it poisons a report', async () => {
      const rig = await startRig(dialect);
      const reports = fc.record({ path: fc.constantFrom(...REPORTS), told });
      await fc.assert(
        fc.asyncProperty(reports, async ({ path, told: body }) => {
          const sent = { method: 'POST', headers: { 'content-type': 'application/json' } };
          const text = JSON.stringify({ ...body, mtoken: MASTER });
          const { status } = await send(rig.internalPort, path, { ...sent, body: text });
          expect([200, 400]).toContain(status);
        }),
        RUNS,
      );
      const healed = JSON.stringify({ mtoken: MASTER, max_perf: 1 });
      const headers = { 'content-type': 'application/json' };
      await send(rig.internalPort, '/report_loaded', { method: 'POST', headers, body: healed });
      const count = rig.autoscaler.bodiesAt('/worker_status/').length;
      await rig.autoscaler.until(() => rig.autoscaler.bodiesAt('/worker_status/').length > count + 1);
      expectFinite(rig);
      await expect.poll(async () => (await send(rig.internalPort, '/readyz')).status).toBe(200);
      expect((await send(rig.internalPort, '/status')).body).toMatchObject({
        state: 'serving',
        requestsUnderWay: 0,
      });
    });
  },
);

it('while the worker loads, whatever comes is refused all the same, and /readyz alone answers 503', async () => {
  const model = await startModel({ loadTimeMs: 3_600_000 });
  const rig = await rigAround(await Scribe.start(), model, backendFor(model), {}, true);
  await fc.assert(
    fc.asyncProperty(strangers, async (given) => {
      const { status } = await sendAs(rig, given);
      const isPage = isRead(given) && PAGES.includes(given.path);
      if (!isPage) expect([status, isRefused(given, status)]).toEqual([status, true]);
      else expect(status).toBe(given.path === '/readyz' ? 503 : 200);
      expect(rig.worker.view().state).toBe('loading');
    }),
    { ...RUNS, numRuns: 100 },
  );
});
