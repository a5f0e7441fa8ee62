import { describe, expect, it } from 'vitest';
import helloautoscaler from '../../backends/helloautoscaler.js';
import { pythonNumber } from '../../src/dialects/python-text.js';
import { post, send } from '../support/client.js';
import { SIGNATURES } from '../support/signatures.js';
import { serve } from '../support/worker.js';
import { backendFor, type Rig, rigAround, startModel } from './rig.js';
import { Scribe } from './scribe.js';

const JSON_TYPE = { 'content-type': 'application/json' };

async function legacyRig(env = {}, autoscaler?: Scribe): Promise<Rig> {
  const model = await startModel();
  const backend = backendFor(model, { dialect: 'legacy' });
  return rigAround(autoscaler ?? (await Scribe.start()), model, backend, env);
}

interface Given {
  /** As it stands in the text. */
  readonly cost?: string;
  readonly reqnum?: number;
  readonly url?: string;
  readonly payload?: string;
}

/** The text of a signed body. */
function signedBody(rig: Rig, { cost = '256', reqnum = 1, url = rig.url, payload }: Given = {}): string {
  const fields = [
    `"cost": ${pythonNumber(cost)}`,
    '"endpoint": "e"',
    `"reqnum": ${reqnum}`,
    `"url": "${url}"`,
  ];
  const signature = rig.autoscaler.sign(`{\n    ${fields.join(',\n    ')}\n}`);
  const own = payload ?? '"max_tokens": 1';
  return `{"cost": ${cost}, "endpoint": "e", "reqnum": ${reqnum}, "url": "${url}", "signature": "${signature}", ${own}}`;
}

function sendBody(rig: Rig, body: string) {
  return send(rig.port, '/v1/completions', { method: 'POST', headers: JSON_TYPE, body });
}

/** Signatures are looked at once the key is there, which in this dialect nobody waits for. */
async function withKey(rig: Rig): Promise<Rig> {
  await sendBody(rig, signedBody(rig, { reqnum: 0 }));
  await rig.autoscaler.until(() => rig.worker.view().key === 'held' || undefined).catch(() => {});
  while (rig.worker.view().key !== 'held') await sendBody(rig, '{}');
  return rig;
}

describe('the body is the JSON of the model with signature, cost, endpoint, reqnum and url beside it', () => {
  it('they are removed before the model sees it, and the rest stays as it was written', async () => {
    const rig = await withKey(await legacyRig());
    const payload = '"max_tokens": 1, "n": 1.0, "big": 12345678901234567890';
    expect((await sendBody(rig, signedBody(rig, { reqnum: 5, payload }))).status).toBe(200);
    expect(rig.model.requests.at(-1)?.body).toBe(`{${payload}}`);
  });

  it('without one of the five the request is unsigned: taken, all of it goes on, and the log says so once', async () => {
    const rig = await legacyRig();
    const body = '{"max_tokens": 1, "url": "the model has one of its own"}';
    for (let count = 0; count < 3; count++) expect((await sendBody(rig, body)).status).toBe(200);
    expect(rig.model.requests.map((request) => request.body)).toEqual([body, body, body]);
    expect(rig.log.about('request.unsigned')).toHaveLength(1);
  });

  it('without one of the five it is refused with 401 where the operator demands signatures', async () => {
    const rig = await legacyRig({ TSWORKER_REQUIRE_SIGNATURE: 'true' });
    expect(await sendBody(rig, '{"max_tokens": 1}')).toMatchObject({
      status: 401,
      body: { error: 'unsigned' },
    });
    expect(rig.requests).toEqual([]);
  });
});

describe('the signed text is that of Python, with the numbers as Python prints them', () => {
  it.each(['256', '256.0', '1e3', '1e-7', '0.1', '1E5', '123456789012345680000'])('cost %s', async (cost) => {
    const rig = await withKey(await legacyRig());
    expect((await sendBody(rig, signedBody(rig, { cost, reqnum: 5 }))).status).toBe(200);
  });

  it.each([
    ['256.0', '256.0'],
    ['1e3', '1000.0'],
    ['1e-7', '1e-07'],
    ['256', '256'],
  ])('%s is printed as %s', (source, printed) => {
    expect(pythonNumber(source)).toBe(printed);
  });

  it('every vector that another implementation made is taken or refused as it says', async () => {
    const autoscaler = await Scribe.start();
    autoscaler.tellKey(SIGNATURES.public_key_pem);
    const rig = await legacyRig({ TSWORKER_EXTRA_URLS: 'http://203.0.113.7:41234' }, autoscaler);
    await sendBody(rig, SIGNATURES.legacy[0]?.body_json ?? '');
    while (rig.worker.view().key !== 'held') await sendBody(rig, '{}');
    const answers: unknown[] = [];
    for (const { name, body_json, valid } of SIGNATURES.legacy) {
      // Another worker each time, as it were: nothing was taken before.
      const { url }: { url?: unknown } = JSON.parse(body_json);
      const isOurs = url === 'http://203.0.113.7:41234';
      const { status, body } = await sendBody(rig, body_json);
      const isRepeated = status === 401 && JSON.stringify(body).includes('"repeated"');
      answers.push({ name, valid: valid && isOurs, taken: status === 200 || isRepeated });
    }
    expect(answers.filter((one) => !isAsSaid(one))).toEqual([]);
  });
});

function isAsSaid(one: unknown): boolean {
  if (typeof one !== 'object' || one === null || !('valid' in one) || !('taken' in one)) return false;
  return one.valid === one.taken;
}

describe('replay', () => {
  it('the same signed text is taken once', async () => {
    const rig = await withKey(await legacyRig());
    const body = signedBody(rig, { reqnum: 50 });
    expect((await sendBody(rig, body)).status).toBe(200);
    expect(await sendBody(rig, body)).toMatchObject({ status: 401, body: { error: 'repeated' } });
  });

  it('a reqnum of 100 below the highest is taken, one of more is refused', async () => {
    const rig = await withKey(await legacyRig());
    expect((await sendBody(rig, signedBody(rig, { reqnum: 500 }))).status).toBe(200);
    expect((await sendBody(rig, signedBody(rig, { reqnum: 399 }))).status).toBe(401);
    expect((await sendBody(rig, signedBody(rig, { reqnum: 400 }))).status).toBe(200);
  });

  it('one that is not genuine shuts nobody out', async () => {
    const rig = await withKey(await legacyRig());
    const forged = signedBody(rig, { reqnum: 1_000_000 }).replace('"cost": 256', '"cost": 257');
    expect((await sendBody(rig, forged)).status).toBe(401);
    expect((await sendBody(rig, signedBody(rig, { reqnum: 2 }))).status).toBe(200);
  });

  it('a signature for another worker is refused', async () => {
    const rig = await withKey(await legacyRig());
    expect((await sendBody(rig, signedBody(rig, { reqnum: 9, url: 'http://203.0.113.7:1' }))).status).toBe(
      401,
    );
  });
});

describe('the hello-autoscaler backend', () => {
  it('POST /increment adds to a counter and answers the text Incremented; GET /value answers it', async () => {
    const { port } = await serve(helloautoscaler);
    expect(await post(port, '/increment', { amount: 2 })).toMatchObject({ status: 200, body: 'Incremented' });
    expect(await post(port, '/increment', { amount: 3 })).toMatchObject({ status: 200, body: 'Incremented' });
    expect(await send(port, '/value')).toMatchObject({ status: 200, body: { value: 5 } });
  });

  it('answers 400 without amount', async () => {
    const { port } = await serve(helloautoscaler);
    expect((await post(port, '/increment', {})).status).toBe(400);
  });

  it('counts each of the two as one unit, whatever the outcome, and nothing else', async () => {
    const { port, worker } = await serve(helloautoscaler, { TSWORKER_BODY_LIMIT: '1KiB' });
    const statuses = [
      await post(port, '/increment', { amount: 1 }),
      await send(port, '/value'),
      await post(port, '/increment', {}),
      await send(port, '/increment', {
        method: 'POST',
        headers: { 'content-type': 'text/plain' },
        body: 'x',
      }),
      await send(port, '/unknown'),
      await send(port, '/increment'),
      await post(port, '/increment', { amount: 'x'.repeat(2_000) }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 400, 415, 404, 405, 413]);
    expect(worker.view().ledger.totals).toMatchObject({ requests: 4, received: 4 });
  });
});
