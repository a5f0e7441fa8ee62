import { generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Verifier } from '../../src/auth/verifier.js';

vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof import('node:crypto')>();
  return { ...actual, verify: vi.fn(actual.verify) };
});

afterEach(() => void vi.mocked(verify).mockClear());

const [one, other] = [makeKey(), makeKey()];

function makeKey(modulusLength = 2_048) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength });
  return { privateKey, publicKey, pem: toPem(publicKey) };
}

function toPem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function signedBy({ privateKey }: { privateKey: KeyObject }, text: string): string {
  return sign('sha256', Buffer.from(text), privateKey).toString('base64');
}

function makeVerifier(pem = one.pem, remembered?: number): Verifier {
  const verifier = new Verifier(remembered === undefined ? {} : { remembered });
  verifier.setKey(pem);
  return verifier;
}

/** How often the costly work was done since the last time that this was asked. */
function verifications(): number {
  const { length } = vi.mocked(verify).mock.calls;
  vi.mocked(verify).mockClear();
  return length;
}

describe('a signature', () => {
  it('is genuine where the key made it over this text', () => {
    const verifier = makeVerifier();
    const signature = signedBy(one, 'text');
    expect(verifier.verify('text', signature)).toBe(true);
    expect(verifier.verify('text ', signature)).toBe(false);
    expect(verifier.verify('text', signedBy(other, 'text'))).toBe(false);
  });

  it('by a key of an odd length is genuine too', () => {
    const odd = makeKey(1_031);
    expect(makeVerifier(odd.pem).verify('text', signedBy(odd, 'text'))).toBe(true);
  });

  it('of another scheme or another digest is not', () => {
    const verifier = makeVerifier();
    const pss = sign('sha256', Buffer.from('text'), { key: one.privateKey, padding: 6 });
    const sha512 = sign('sha512', Buffer.from('text'), one.privateKey);
    expect(verifier.verify('text', pss.toString('base64'))).toBe(false);
    expect(verifier.verify('text', sha512.toString('base64'))).toBe(false);
  });

  it('has one text: the same bytes written otherwise are refused', () => {
    const verifier = makeVerifier();
    const texts = Array.from({ length: 20 }, (_, n) => `text ${n}`);
    // One with digits that are written in two ways, which nearly all have.
    const text = texts.find((each) => /[+/]/.test(signedBy(one, each))) ?? '';
    const signature = signedBy(one, text);
    expect(signature).toMatch(/[+/].*==$/);
    const written = [
      '',
      signature.slice(0, -4),
      signature.slice(0, -2),
      `${signature}\n`,
      ` ${signature}`,
      `${signature}AAAA`,
      signature.replaceAll('+', '-').replaceAll('/', '_'),
      // The last bits of the last digit before the padding belong to no byte.
      signature.replace(
        /(.)==$/,
        (_all, digit: string) => `${String.fromCharCode(digit.charCodeAt(0) + 1)}==`,
      ),
      signature.replace(/^./, '%'),
      signature.replace(/^./, 'ä'),
    ];
    expect(new Set(written).size).toBe(written.length);
    for (const each of written) expect([each, verifier.verify(text, each)]).toEqual([each, false]);
    expect(verifications()).toBe(0);
  });
});

describe('the key', () => {
  it('is needed', () => {
    const verifier = new Verifier();
    expect(verifier.hasKey).toBe(false);
    expect(verifier.verify('text', signedBy(one, 'text'))).toBe(false);
    expect(verifier.verify('', '')).toBe(false);
    verifier.setKey(one.pem);
    expect(verifier.hasKey).toBe(true);
  });

  it('may be written in the older form', () => {
    const pem = one.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    expect(pem).toContain('BEGIN RSA PUBLIC KEY');
    expect(makeVerifier(`\n${pem}`).verify('text', signedBy(one, 'text'))).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a page', '<html>not found</html>'],
    ['half a key', one.pem.slice(0, 200)],
    ['garbage in the form of a key', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'],
    ['a private key', one.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['a key for curves', toPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)],
    ['a key for another scheme', toPem(generateKeyPairSync('rsa-pss', { modulusLength: 2_048 }).publicKey)],
    ['a key that is too short', makeKey(768).pem],
  ])('%s is none, and the one from before stays', (_name, pem) => {
    const verifier = makeVerifier();
    expect(() => verifier.setKey(pem)).toThrow();
    expect(verifier.hasKey).toBe(true);
    expect(verifier.verify('text', signedBy(one, 'text'))).toBe(true);
    expect(() => new Verifier().setKey(pem)).toThrow();
  });
});

describe('what is remembered', () => {
  it('is a genuine pair, which is not verified again', () => {
    const verifier = makeVerifier();
    const signature = signedBy(one, 'text');
    expect(verifier.verify('text', signature)).toBe(true);
    expect(verifications()).toBe(1);
    expect(verifier.verify('text', signature)).toBe(true);
    expect(verifications()).toBe(0);
    expect(verifier.verify('other text', signature)).toBe(false);
    expect(verifier.verify('text', signedBy(one, 'other text'))).toBe(false);
    expect(verifications()).toBe(2);
  });

  it('is never what was not genuine', () => {
    const verifier = makeVerifier(one.pem, 1);
    const [genuine, wrong] = [signedBy(one, 'text'), signedBy(other, 'text')];
    verifier.verify('text', genuine);
    expect(verifications()).toBe(1);
    for (let time = 0; time < 3; time++) expect(verifier.verify('text', wrong)).toBe(false);
    expect(verifications()).toBe(3);
    expect(verifier.verify('text', genuine)).toBe(true);
    expect(verifications()).toBe(0);
  });

  it.each([0, 1, 2, undefined])('is bounded: %s', (remembered) => {
    const limit = remembered ?? 1_000;
    const key = makeKey(1_024);
    const verifier = makeVerifier(key.pem, remembered);
    const pairs = Array.from(
      { length: limit + 1 },
      (_, n) => [`text ${n}`, signedBy(key, `text ${n}`)] as const,
    );
    for (const [text, signature] of pairs) verifier.verify(text, signature);
    verifications();
    for (const [text, signature] of pairs.slice(1)) expect(verifier.verify(text, signature)).toBe(true);
    expect(verifications()).toBe(0);
    const [text, signature] = pairs[0] ?? ['', ''];
    expect(verifier.verify(text, signature)).toBe(true);
    expect(verifications()).toBe(1);
  });

  it('is nothing long', () => {
    const verifier = makeVerifier();
    const longest = 8 * 1_024 - 344;
    for (const [length, again] of [
      [longest, 0],
      [longest + 1, 1],
    ] as const) {
      const text = 'x'.repeat(length);
      const signature = signedBy(one, text);
      expect(verifier.verify(text, signature)).toBe(true);
      verifications();
      expect(verifier.verify(text, signature)).toBe(true);
      expect(verifications()).toBe(again);
    }
  });

  it('outlives the same key, and no other', () => {
    const verifier = makeVerifier();
    const signature = signedBy(one, 'text');
    verifier.verify('text', signature);
    verifications();
    verifier.setKey(`\n${one.pem}\n`);
    expect(verifier.verify('text', signature)).toBe(true);
    expect(() => verifier.setKey('')).toThrow();
    expect(verifier.verify('text', signature)).toBe(true);
    expect(verifications()).toBe(0);
    verifier.setKey(other.pem);
    expect(verifier.verify('text', signature)).toBe(false);
    verifier.setKey(one.pem);
    verifications();
    expect(verifier.verify('text', signature)).toBe(true);
    expect(verifications()).toBe(1);
  });
});
