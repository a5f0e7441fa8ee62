import { describe, expect, it } from 'vitest';
import { Verifier } from '../../src/auth/verifier.js';
import { openCurrent } from '../../src/dialects/current/envelope.js';
import { SIGNATURES } from '../support/signatures.js';

const AUTH = {
  cost: 256.5,
  endpoint: 'my-endpoint',
  reqnum: 7,
  request_idx: 1001,
  signature: 'c2ln',
  url: 'http://203.0.113.7:41234',
};

function open(body: unknown, unsecured = false) {
  return openCurrent(JSON.stringify(body), { unsecured });
}

function problems(body: unknown, unsecured = false) {
  const opened = open(body, unsecured);
  return opened.ok ? {} : opened.fields;
}

describe('signatures of another implementation', () => {
  const verifier = new Verifier();
  verifier.setKey(SIGNATURES.public_key_pem);

  it.each(SIGNATURES.current)('$name', ({ auth_data_json, signed_message, valid }) => {
    const text = `{"auth_data": ${auth_data_json}, "payload": {"prompt": "hi"}, "session_id": null}`;
    const opened = openCurrent(text, { unsecured: false });
    const auth = opened.ok ? opened.envelope.auth : null;
    expect(verifier.verify(auth?.signedText ?? '', auth?.signature ?? '')).toBe(valid);
    if (valid) expect(auth?.signedText).toBe(signed_message);
  });
});

describe('a request', () => {
  it('is opened, and its payload keeps the text that it was written with', () => {
    const data = { ...AUTH, also: [1] };
    const text = `{ "payload" : { "n":1.10, "s" : "\\u00e4" },"auth_data":${JSON.stringify(data)},"session_id":"s1","x":0}`;
    expect(openCurrent(text, { unsecured: false })).toEqual({
      ok: true,
      envelope: {
        payload: '{ "n":1.10, "s" : "\\u00e4" }',
        auth: {
          signedText: '{\n    "url": "http://203.0.113.7:41234"\n}',
          signature: 'c2ln',
          url: 'http://203.0.113.7:41234',
          cost: 256.5,
          endpoint: 'my-endpoint',
          reqnum: 7,
          requestIdx: 1001,
          data,
        },
        sessionId: 's1',
      },
    });
  });

  it.each([{}, { session_id: null }])('is in no session where it names none: %j', (session) => {
    expect(open({ auth_data: AUTH, payload: {}, ...session })).toMatchObject({
      envelope: { sessionId: null },
    });
  });

  it('with a member twice has the last of them', () => {
    const text = `{"payload":{"a":1},"auth_data":${JSON.stringify(AUTH)},"p\\u0061yload":{"a":2}}`;
    expect(openCurrent(text, { unsecured: false })).toMatchObject({
      envelope: { payload: '{"a":2}' },
    });
  });
});

describe('a malformed request', () => {
  const payload = {};
  it.each<[string, unknown, Record<string, unknown>]>([
    ['no object', [1], { body: 'Invalid input: expected object, received array' }],
    ['nothing', null, { body: 'Invalid input: expected object, received null' }],
    ['no members', {}, { auth_data: 'missing', payload: 'missing' }],
    ['no payload', { auth_data: AUTH }, { payload: 'missing' }],
    [
      'a payload of another type',
      { auth_data: AUTH, payload: [] },
      { payload: 'Invalid input: expected object' },
    ],
    ['no auth_data', { payload }, { auth_data: 'missing' }],
    [
      'auth_data of another type',
      { auth_data: [], payload },
      { auth_data: 'Invalid input: expected object, received array' },
    ],
    [
      'a session of another type',
      { auth_data: AUTH, payload, session_id: 5 },
      { session_id: 'Invalid input: expected string, received number' },
    ],
  ])('%s: the field is named', (_name, body, fields) => {
    expect(problems(body)).toEqual(fields);
  });

  it.each<[keyof typeof AUTH, unknown]>([
    ['cost', '1'],
    ['cost', -1],
    ['cost', Number.POSITIVE_INFINITY],
    ['cost', null],
    ['endpoint', 5],
    ['reqnum', 1.5],
    ['reqnum', '1'],
    ['request_idx', null],
    ['request_idx', 2 ** 53],
    ['signature', {}],
    ['url', null],
    ['url', 'x'.repeat(8_193)],
  ])('%s is %j: the field is named', (field, value) => {
    const body = { auth_data: { ...AUTH, [field]: value }, payload };
    expect(problems(body)).toEqual({ [`auth_data.${field}`]: expect.stringMatching(/^(Invalid|Too)/) });
  });

  it.each(Object.keys(AUTH))('%s is not there: it is named', (field) => {
    const body = { auth_data: { ...AUTH, [field]: undefined }, payload };
    expect(problems(body)).toEqual({ [`auth_data.${field}`]: 'missing' });
  });

  it('is told the first five of its problems, and none of its own values', () => {
    const told = problems({ auth_data: { signature: 'hidden', url: 5, cost: 'hidden' } });
    expect(told).toEqual({
      'auth_data.cost': 'Invalid input: expected number, received string',
      'auth_data.endpoint': 'missing',
      'auth_data.reqnum': 'missing',
      'auth_data.request_idx': 'missing',
      'auth_data.url': 'Invalid input: expected string, received number',
    });
    expect(JSON.stringify(told)).not.toContain('hidden');
  });
});

describe('a body from a stranger', () => {
  it.each([
    'no JSON',
    '',
    '{',
    '{"auth_data":{},"payload":{}',
    '{"auth_data":{} "payload":{}}',
    '{"auth_data" {},"payload":{}}',
    '{auth_data:{},"payload":{}}',
    '{"auth_data":{},"payload":}',
    '{"auth_data":{},"payload":{},}',
    '{"auth_data":{},"payload":{}}}',
    '{"auth_data":{"cost":01},"payload":{}}',
    '{"auth_data":{},"payload":{},"session_id":nul}',
    '{"\\x":1}',
  ])('is no JSON: %j', (text) => {
    expect(openCurrent(text, { unsecured: false })).toEqual({ ok: false, fields: null });
  });

  it('is opened without a look into its payload', () => {
    const text = `{"auth_data":${JSON.stringify(AUTH)},"payload":{ this is no JSON }}`;
    expect(openCurrent(text, { unsecured: false })).toMatchObject({
      ok: true,
      envelope: { payload: '{ this is no JSON }' },
    });
  });

  it.each<[string, string, Record<string, string>]>([
    [
      'auth_data that is long',
      `{"auth_data":"${'x'.repeat(300_000)}","payload":{}}`,
      { auth_data: 'Too long' },
    ],
    [
      'too many members',
      `{${Array.from({ length: 10_001 }, () => '"a":1').join(',')}}`,
      { body: 'Invalid input: too many members' },
    ],
    ['no object, and long', '['.repeat(2_000), { body: 'Invalid input: expected object' }],
  ])('with %s is refused unparsed', (_name, text, fields) => {
    expect(openCurrent(text, { unsecured: false })).toEqual({ ok: false, fields });
  });
});

describe('through a door that is open', () => {
  it.each([{}, { auth_data: null }])('a request needs no auth_data: %j', (body) => {
    expect(open({ ...body, payload: { a: 1 } }, true)).toEqual({
      ok: true,
      envelope: { payload: '{"a":1}', auth: null, sessionId: null },
    });
  });

  it('it may have part of it', () => {
    const data = { request_idx: 3, url: 'http://127.0.0.1:3000', cost: null };
    expect(open({ auth_data: data, payload: {} }, true)).toMatchObject({
      ok: true,
      envelope: {
        auth: {
          signedText: '{\n    "url": "http://127.0.0.1:3000"\n}',
          signature: '',
          url: 'http://127.0.0.1:3000',
          cost: 0,
          endpoint: '',
          reqnum: 0,
          requestIdx: 3,
          data,
        },
      },
    });
    expect(open({ auth_data: {}, payload: {} }, true)).toMatchObject({
      envelope: { auth: { signature: '', url: '', requestIdx: null, data: {} } },
    });
  });

  it('what it has must still have its type, and a payload it must have', () => {
    expect(problems({ auth_data: { request_idx: '3' } }, true)).toEqual({
      'auth_data.request_idx': 'Invalid input: expected number, received string',
      payload: 'missing',
    });
    expect(problems({ auth_data: 'x', payload: {} }, true)).toEqual({
      auth_data: 'Invalid input: expected object, received string',
    });
  });
});
