import { describe, expect, it } from 'vitest';
import { Verifier } from '../../src/auth/verifier.js';
import { openLegacy } from '../../src/dialects/legacy/envelope.js';
import { SIGNATURES } from '../support/signatures.js';

const FIVE = { cost: 256, endpoint: 'e', reqnum: 12, signature: 'c2ln', url: 'http://203.0.113.7:41234' };

function open(text: string) {
  return openLegacy(text, { unsecured: false });
}

describe('signatures of another implementation', () => {
  const verifier = new Verifier();
  verifier.setKey(SIGNATURES.public_key_pem);

  it.each(SIGNATURES.legacy)('$name', ({ body_json, signed_message, valid }) => {
    const opened = open(body_json);
    const envelope = opened.ok ? opened.envelope : undefined;
    expect(verifier.verify(envelope?.auth?.signedText ?? '', envelope?.auth?.signature ?? '')).toBe(valid);
    if (valid) expect(envelope?.auth?.signedText).toBe(signed_message);
    expect(envelope?.payload).toBe('{"inputs": "hi", "parameters": {"max_new_tokens": 8}}');
  });
});

describe('a signed request', () => {
  it('is opened: the model gets what is its own, each member as it was written', () => {
    const text =
      '{ "inputs" : "\\u00e4", "cost":1.50, "signature":"c2ln","n" :\n1.10,"endpoint":"e","reqnum":12,\n"url":"u", "\\u0061":[ ] }';
    expect(open(text)).toEqual({
      ok: true,
      envelope: {
        payload: '{"inputs" : "\\u00e4", "n" :\n1.10, "\\u0061":[ ]}',
        auth: {
          signedText: '{\n    "cost": 1.5,\n    "endpoint": "e",\n    "reqnum": 12,\n    "url": "u"\n}',
          signature: 'c2ln',
          url: 'u',
          cost: 1.5,
          endpoint: 'e',
          reqnum: 12,
          requestIdx: null,
          data: { cost: 1.5, endpoint: 'e', reqnum: 12, signature: 'c2ln', url: 'u' },
        },
        sessionId: null,
      },
    });
  });

  it('may have nothing for the model, and a member of any name', () => {
    expect(open(JSON.stringify(FIVE))).toMatchObject({ envelope: { payload: '{}' } });
    const opened = open(`{"__proto__":{"a":1},${JSON.stringify(FIVE).slice(1)}`);
    expect(opened).toMatchObject({ envelope: { payload: '{"__proto__":{"a":1}}' } });
  });

  it('with a field twice has the last of them, and the model gets neither', () => {
    const text = `{"cost":1,"c\\u006fst":2.0,"a":0,"endpoint":"e","reqnum":3,"signature":"s","url":"u"}`;
    expect(open(text)).toMatchObject({
      envelope: {
        payload: '{"a":0}',
        auth: {
          cost: 2,
          signedText: '{\n    "cost": 2.0,\n    "endpoint": "e",\n    "reqnum": 3,\n    "url": "u"\n}',
        },
      },
    });
  });

  it('has its numbers signed as they were written', () => {
    const text = '{"cost":1e3,"endpoint":"e","reqnum":12.0,"signature":"s","url":"u"}';
    expect(open(text)).toMatchObject({
      envelope: {
        auth: {
          cost: 1_000,
          reqnum: 12,
          signedText: '{\n    "cost": 1000.0,\n    "endpoint": "e",\n    "reqnum": 12.0,\n    "url": "u"\n}',
        },
      },
    });
  });

  it.each<[keyof typeof FIVE, unknown]>([
    ['cost', '1'],
    ['cost', -1],
    ['cost', null],
    ['endpoint', 5],
    ['reqnum', 1.5],
    ['reqnum', 2 ** 53],
    ['signature', null],
    ['signature', 's'.repeat(8_193)],
    ['url', []],
  ])('%s is %j: the field is named', (field, value) => {
    expect(open(JSON.stringify({ ...FIVE, inputs: 'hi', [field]: value }))).toEqual({
      ok: false,
      fields: { [field]: expect.stringMatching(/^(Invalid|Too)/) },
    });
  });

  it('is told every field that is wrong', () => {
    const opened = open('{"cost":1e400,"endpoint":1,"reqnum":"1","signature":1,"url":1}');
    expect(opened.ok ? [] : Object.keys(opened.fields ?? {})).toEqual([
      'cost',
      'endpoint',
      'reqnum',
      'signature',
      'url',
    ]);
  });
});

describe('an unsigned request', () => {
  it.each(Object.keys(FIVE))('lacks %s: all of the body is for the model, as it was written', (field) => {
    const text = ` ${JSON.stringify({ ...FIVE, inputs: 'hi', [field]: undefined })}\n`;
    expect(open(text)).toEqual({
      ok: true,
      envelope: { payload: text, auth: null, sessionId: null },
    });
  });

  it.each(['[1, 2]', '"text"', 'null', '5', 'no JSON', '{"a":1'])('may be no object at all: %s', (text) => {
    expect(open(text)).toEqual({
      ok: true,
      envelope: { payload: text, auth: null, sessionId: null },
    });
  });

  it('with more members than anybody needs is refused', () => {
    const text = `{${Array.from({ length: 10_001 }, (_, index) => `"${index}":1`).join(',')}}`;
    expect(open(text)).toEqual({ ok: false, fields: { body: 'Invalid input: too many members' } });
  });
});
