import { generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Verifier } from '../../src/auth/verifier.js';
import { openCurrent } from '../../src/dialects/current/envelope.js';
import { signedText as currentText } from '../../src/dialects/current/signed-text.js';
import type { Envelope, OpenEnvelope } from '../../src/dialects/envelope.js';
import { openLegacy } from '../../src/dialects/legacy/envelope.js';
import { signedText as legacyText } from '../../src/dialects/legacy/signed-text.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });

const verifier = new Verifier();
verifier.setKey(publicKey.export({ type: 'spki', format: 'pem' }).toString());

const OPENERS: readonly OpenEnvelope[] = [openCurrent, openLegacy];

function sealed(text: string): string {
  return sign('sha256', Buffer.from(text), privateKey).toString('base64');
}

function open(opener: OpenEnvelope, text: string): Envelope | undefined {
  const opened = opener(text, { unsecured: false });
  return opened.ok ? opened.envelope : undefined;
}

function isGenuine(envelope: Envelope | undefined): boolean {
  const auth = envelope?.auth;
  return auth != null && verifier.verify(auth.signedText, auth.signature);
}

const anyText = fc.string({ unit: 'binary', maxLength: 20 });

/** A number as text: the ways to write one are many, and the signature covers the way. */
const wholeNumber = fc.oneof(fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String), fc.nat().map(String));
const amountText = fc.oneof(
  wholeNumber,
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential()),
  fc.tuple(fc.nat(), fc.nat()).map(([whole, fraction]) => `${whole}.${fraction}`),
);
const reqnumText = fc.tuple(fc.nat(), fc.constantFrom('', '.0', 'e0')).map((parts) => parts.join(''));

const NAMES = [
  'auth_data',
  'payload',
  'session_id',
  'cost',
  'endpoint',
  'reqnum',
  'request_idx',
  'signature',
  'url',
];
const name = fc.oneof(fc.constantFrom(...NAMES, '__proto__', 'constructor'), anyText);

/** The model's own JSON, with names that may be those of an envelope. */
const payload = fc.dictionary(
  fc.oneof(anyText, fc.constantFrom('payload', '__proto__', 'session_id')),
  fc.jsonValue(),
  {
    noNullPrototype: true,
  },
);

const fields = fc.record({ cost: amountText, endpoint: anyText, reqnum: reqnumText, url: anyText });
type Fields = typeof fields extends fc.Arbitrary<infer Value> ? Value : never;

function currentBody({ cost, endpoint, reqnum, url }: Fields, signature: string, model: string): string {
  const [e, s, u] = [endpoint, signature, url].map((each) => JSON.stringify(each));
  const auth = `{"cost":${cost},"endpoint":${e},"reqnum":${reqnum},"request_idx":1,"signature":${s},"url":${u}}`;
  return `{"auth_data":${auth}, "payload" : ${model}}`;
}

function legacyBody({ cost, endpoint, reqnum, url }: Fields, signature: string, model: string): string {
  const [e, s, u] = [endpoint, signature, url].map((each) => JSON.stringify(each));
  const own = model === '{}' ? '' : `,${model.slice(1, -1)}`;
  return `{"cost":${cost},"signature":${s},"endpoint":${e},"reqnum":${reqnum},"url":${u}${own}}`;
}

describe('any body', () => {
  const body = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(name, fc.oneof(fc.jsonValue(), fc.dictionary(name, fc.jsonValue()))),
  );

  it('is opened, or refused with at most five fields, and never throws', () => {
    fc.assert(
      fc.property(body, fc.boolean(), fc.nat(3), (value, unsecured, indent) => {
        const text = JSON.stringify(value, null, indent);
        for (const opener of OPENERS) {
          const opened = opener(text, { unsecured });
          if (opened.ok) {
            expect(JSON.parse(opened.envelope.payload)).toEqual(payloadOf(opener, JSON.parse(text)));
            expect(isGenuine(opened.envelope)).toBe(false);
          } else {
            const told = Object.entries(opened.fields ?? {});
            expect(told.length).toBeGreaterThan(0);
            expect(told.length).toBeLessThanOrEqual(5);
            for (const pair of told) expect(pair).not.toContain('');
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it('that is nearly an envelope neither throws nor passes for another', () => {
    const edit = fc.record({
      at: fc.nat(),
      length: fc.nat(4),
      put: fc.constantFrom('', '"', '{}', '0', ',', 'null', '['),
    });
    fc.assert(
      fc.property(fields, payload, fc.array(edit, { minLength: 1, maxLength: 3 }), (given, model, edits) => {
        const bodies = [currentBody, legacyBody].map((make) => make(given, 'c2ln', JSON.stringify(model)));
        for (const [index, whole] of bodies.entries()) {
          const text = edits.reduce((from, { at, length, put }) => {
            const start = at % from.length;
            return from.slice(0, start) + put + from.slice(start + length);
          }, whole);
          const json = parsed(text);
          if (json === undefined) {
            expect(() => OPENERS[index]?.(text, { unsecured: false })).not.toThrow();
            continue;
          }
          const opener = OPENERS[index] ?? openCurrent;
          const opened = opener(text, { unsecured: false });
          if (opened.ok) expect(JSON.parse(opened.envelope.payload)).toEqual(payloadOf(opener, json.value));
          else expect(opened.fields).not.toBe(null);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** What a parser that reads all of a body makes of its payload. */
function payloadOf(opener: OpenEnvelope, body: unknown): unknown {
  const members: Record<string, unknown> = { ...Object(body) };
  if (opener === openCurrent) return members.payload;
  const five = ['cost', 'endpoint', 'reqnum', 'signature', 'url'];
  if (!isRecord(body) || !five.every((field) => Object.hasOwn(body, field))) return body;
  return Object.fromEntries(Object.entries(body).filter(([key]) => !five.includes(key)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

describe('a signed body', () => {
  it('of current is genuine, until its url changes', () => {
    fc.assert(
      fc.property(fields, fields, payload, (given, changed, model) => {
        const signature = sealed(currentText(given));
        const text = JSON.stringify(model);
        const envelope = open(openCurrent, currentBody(given, signature, text));
        expect(isGenuine(envelope)).toBe(true);
        expect(envelope?.payload).toBe(text);
        expect(
          isGenuine(open(openCurrent, currentBody({ ...changed, url: given.url }, signature, text))),
        ).toBe(true);
        const moved = { ...given, url: changed.url };
        expect(isGenuine(open(openCurrent, currentBody(moved, signature, text)))).toBe(
          given.url === changed.url,
        );
      }),
    );
  });

  it('of legacy is genuine, until one of the four that are signed changes', () => {
    const which = fc.constantFrom<keyof Fields>('cost', 'endpoint', 'reqnum', 'url');
    fc.assert(
      fc.property(fields, fields, which, payload, (given, changed, field, model) => {
        const signature = sealed(legacyText(given));
        const text = JSON.stringify(model);
        const envelope = open(openLegacy, legacyBody(given, signature, text));
        expect(isGenuine(envelope)).toBe(true);
        expect(JSON.parse(envelope?.payload ?? '')).toEqual(JSON.parse(text));
        const other = { ...given, [field]: changed[field] };
        const same = legacyText(other) === legacyText(given);
        expect(same).toBe(signedAlike(given[field], changed[field], field));
        expect(isGenuine(open(openLegacy, legacyBody(other, signature, text)))).toBe(same);
      }),
    );
  });
});

/** Two ways to write one float are signed alike; a whole number and a float never are. */
function signedAlike(a: string, b: string, field: keyof Fields): boolean {
  if (field === 'endpoint' || field === 'url' || a === b) return a === b;
  const isFloat = (text: string) => /[.e]/.test(text);
  return isFloat(a) && isFloat(b) && Number(a) === Number(b);
}
