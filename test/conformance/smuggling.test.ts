import { describe, expect, it } from 'vitest';
import { answersIn, RawClient } from '../support/client.js';
import { type Rig, startRig } from './rig.js';

const JSON_TYPE = 'Host: w\r\nContent-Type: application/json\r\n';

/** The bytes of a request that the worker would serve: whoever takes it for one asks the model server. */
function genuine(rig: Rig, headers = '', payload: object = { max_tokens: 1 }): string {
  const body = JSON.stringify({ auth_data: rig.authFor(), payload });
  return `POST /v1/completions HTTP/1.1\r\n${JSON_TYPE}${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** Says all of it and no more, and reads to the end. */
async function told(rig: Rig, bytes: string): Promise<number[]> {
  const client = new RawClient(rig.port).write(Buffer.from(bytes, 'latin1'));
  client.socket.end();
  const received = await client.untilEnd();
  return [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}

describe('a genuine request that is hidden in another, or behind one that is not clear, is none', () => {
  const framedBy = (...headers: string[]) => headers.map((each) => `${each}\r\n`).join('');
  /** For who reads chunks the body is empty, and the hidden request follows. */
  it.each<[name: string, headers: string]>([
    ['an unknown coding', framedBy('Transfer-Encoding: xchunked')],
    ['chunked and then another', framedBy('Transfer-Encoding: chunked', 'Transfer-Encoding: identity')],
    ['chunked in quotes', framedBy('Transfer-Encoding: "chunked"')],
    ['chunked with a parameter', framedBy('Transfer-Encoding: chunked;q=1')],
    ['chunked with a vertical tab', framedBy('Transfer-Encoding: \x0bchunked')],
    ['chunked with a NUL', framedBy('Transfer-Encoding: \x00chunked')],
    ['chunked on a folded line', framedBy('Transfer-Encoding:', ' chunked')],
    ['chunked behind a bare LF', framedBy('X: y\nTransfer-Encoding: chunked')],
    ['chunked behind a bare CR', framedBy('X: y\rTransfer-Encoding: chunked')],
    ['a length twice, the same', framedBy('Content-Length: 5', 'Content-Length: 5')],
    ['an empty length', framedBy('Content-Length:')],
    ['two numbers as length', framedBy('Content-Length: 5 5')],
    ['a space before the colon of the length', framedBy('Content-Length : 5')],
    ['a NUL in a name', framedBy('X-\x00: y', 'Content-Length: 5')],
    ['no name', framedBy(': y', 'Content-Length: 5')],
  ])('%s', async (_name, headers) => {
    const rig = await startRig();
    const head = `POST /v1/completions HTTP/1.1\r\n${JSON_TYPE}${headers}\r\n`;
    expect(await told(rig, `${head}0\r\n\r\n${genuine(rig)}`)).toEqual([400]);
    expect(rig.model.requests).toHaveLength(0);
    expect(rig.worker.view().ledger.totals.requests).toBe(0);
  });

  it.each<[name: string, size: (length: string) => string]>([
    ['negative', (size) => `-${size}\r\n`],
    ['signed', (size) => `+${size}\r\n`],
    ['with a prefix', (size) => `0x${size}\r\n`],
    ['beyond all numbers', () => `${'f'.repeat(17)}\r\n`],
    ['empty', () => '\r\n'],
    ['ended by a bare LF', (size) => `${size}\n`],
    ['ended by a bare CR', (size) => `${size}\rx`],
    ['with an extension that ends in a bare LF', (size) => `${size};a\n`],
    ['with extensions without end', (size) => `${size};${'a'.repeat(20_000)}\r\n`],
  ])('the size of a chunk: %s', async (_name, sizeLine) => {
    const rig = await startRig();
    const head = `POST /v1/completions HTTP/1.1\r\n${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n`;
    const statuses = await told(rig, `${head}${sizeLine('2')}{}\r\n0\r\n\r\n${genuine(rig)}`);
    expect(statuses).toEqual([400]);
    expect(rig.model.requests).toHaveLength(0);
  });
});

describe('what a client sends makes as many requests as it says', () => {
  it('one, whatever its payload looks like, and however many bytes its characters take', async () => {
    const rig = await startRig();
    const prompt = `\u{1f600}é\r\n\r\n0\r\n\r\nPOST /v1/completions HTTP/1.1\r\nHost: x\r\n\r\n`;
    expect((await rig.ask('/v1/completions', { max_tokens: 1, prompt })).status).toBe(200);
    expect(rig.model.requests.map(({ body }) => JSON.parse(body).prompt)).toEqual([prompt]);
  });

  it('in chunks with extensions and trailers, which change nothing', async () => {
    const rig = await startRig();
    const body = JSON.stringify({ auth_data: rig.authFor(), payload: { max_tokens: 1 } });
    const chunks = `${body.length.toString(16)};a=b\r\n${body}\r\n0\r\nX-Late: y\r\nHost: other\r\n\r\n`;
    const head = `POST /v1/completions HTTP/1.1\r\n${JSON_TYPE}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const client = new RawClient(rig.port).write(head + chunks);
    expect(answersIn(await client.untilEnd()).map(({ status }) => status)).toEqual([200]);
    expect(rig.model.requests).toHaveLength(1);
    expect(JSON.stringify(rig.model.requests[0]?.rawHeaders)).not.toMatch(/late|other|trailer|chunked/i);
  });

  it('two that are sent ahead, in order', async () => {
    const rig = await startRig();
    const client = new RawClient(rig.port).write(
      genuine(rig, '', { max_tokens: 2 }) + genuine(rig, 'Connection: close\r\n', { max_tokens: 3 }),
    );
    const answers = answersIn(await client.untilEnd());
    expect(answers.map(({ body }) => JSON.stringify(body).match(/tok\d/g)?.length)).toEqual([2, 3]);
    expect(rig.model.requests).toHaveLength(2);
  });

  it.each<[name: string, headers: string]>([
    [
      'an upgrade',
      'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n',
    ],
    ['an expectation', 'Connection: close\r\nExpect: tea\r\n'],
    ['headers by the thousand', `Connection: close\r\n${'a:\r\n'.repeat(2_500)}`],
    ['a character that few take', 'Connection: close\r\nAccept: a\x7fb\r\nTraceparent: \xff\r\n'],
  ])('one, with %s that goes no further', async (_name, headers) => {
    const rig = await startRig();
    const client = new RawClient(rig.port).write(Buffer.from(genuine(rig, headers), 'latin1'));
    const statuses = answersIn(await client.untilEnd()).map(({ status }) => status);
    expect(statuses).toHaveLength(1);
    expect(statuses[0]).toBeLessThan(500);
    expect(rig.model.requests).toHaveLength(statuses[0] === 200 ? 1 : 0);
    expect(JSON.stringify(rig.model.requests[0]?.rawHeaders ?? [])).not.toMatch(/upgrade|expect|settings/i);
  });
});

it.each<[name: string, target: string, status: number]>([
  ['of another host', 'http://elsewhere/nowhere', 404],
  ['with two slashes', '//elsewhere/v1/completions', 404],
  ['of a file', 'file:///etc/passwd', 404],
  ['with an authority alone', 'elsewhere:443', 400],
  ['that is too long', `/${'x'.repeat(20_000)}`, 431],
])('a target %s asks nobody', async (_name, target, status) => {
  const rig = await startRig();
  expect(await told(rig, `GET ${target} HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n`)).toEqual([status]);
  expect(rig.model.requests).toHaveLength(0);
});

it('HTTP/0.9 is none, and HTTP/1.0 keeps its connection where it is asked to, and only there', async () => {
  const rig = await startRig();
  expect(await told(rig, 'GET /nowhere\r\n')).toEqual([400]);
  const kept = 'GET /nowhere HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
  const client = new RawClient(rig.port).write(`${kept}GET /nowhere HTTP/1.0\r\n\r\n${kept}`);
  expect(answersIn(await client.untilEnd()).map(({ status }) => status)).toEqual([404, 404]);
});
