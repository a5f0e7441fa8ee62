import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkKey, KeyRing } from '../../src/key-ring.js';
import { PUBLIC_KEY_INPUT, startPublicKey } from '../support/machines/public-key.js';

const [one, other] = [makePair(), makePair()];

function makePair() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  return { privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

function signed({ privateKey }: { privateKey: KeyObject }, text = 'text'): string {
  return sign('sha256', Buffer.from(text), privateKey).toString('base64');
}

function start() {
  const key = startPublicKey();
  return { key, ring: new KeyRing(() => key.actor) };
}

/** A ring that holds a key for so long that it may ask for a newer one. */
async function holding() {
  const started = start();
  started.ring.need();
  await started.key.answer(one.pem);
  await started.key.clock.advance(PUBLIC_KEY_INPUT.minRefetchMs);
  expect(started.ring.hasKey).toBe(true);
  return started;
}

describe('a ring without a key', () => {
  it('takes no signature, and asks for none of itself', () => {
    const { key, ring } = start();
    expect([ring.hasKey, ring.verify('text', signed(one)), key.asked()]).toEqual([false, false, []]);
  });

  it('has the key that was asked for once it has come', async () => {
    const { key, ring } = start();
    ring.need();
    expect([ring.hasKey, key.asked()]).toEqual([false, ['http://a']]);
    await key.answer(one.pem);
    expect([ring.hasKey, ring.verify('text', signed(one))]).toEqual([true, true]);
  });
});

describe('a ring with a key', () => {
  it('takes what this key has signed, and nothing else', async () => {
    const { ring } = await holding();
    expect([
      ring.verify('text', signed(one)),
      ring.verify('another text', signed(one)),
      ring.verify('text', signed(other)),
    ]).toEqual([true, false, false]);
  });

  it('says that there is a newer key, and takes what that has signed, and not what the older one has', async () => {
    const { key, ring } = await holding();
    const renewed = ring.renew();
    await key.answer(other.pem);
    expect(await renewed).toBe(true);
    expect([ring.verify('text', signed(other)), ring.verify('text', signed(one))]).toEqual([true, false]);
  });

  it('says that there is none when the same came again', async () => {
    const { key, ring } = await holding();
    const renewed = ring.renew();
    await key.answer(one.pem);
    expect([await renewed, ring.verify('text', signed(one))]).toEqual([false, true]);
  });

  it('says that there is none when nobody answers, and keeps the one that it has', async () => {
    const { key, ring } = await holding();
    const renewed = ring.renew();
    await key.fail();
    expect([await renewed, ring.verify('text', signed(one))]).toEqual([false, true]);
  });

  it('does not ask when it has asked a moment ago', async () => {
    const { key, ring } = await holding();
    const renewed = ring.renew();
    await key.answer(one.pem);
    await renewed;
    expect([await ring.renew(), key.asked()]).toEqual([false, ['http://a', 'http://a']]);
  });

  it('asks once for many signatures at a time', async () => {
    const { key, ring } = await holding();
    const renewals = Promise.all([ring.renew(), ring.renew(), ring.renew()]);
    await key.answer(other.pem);
    expect([await renewals, key.asked().length]).toEqual([[true, true, true], 2]);
    expect(ring.verify('text', signed(other))).toBe(true);
  });
});

it('a text that is no key is refused before it is held', () => {
  expect(() => checkKey(one.pem)).not.toThrow();
  expect(() => checkKey('no key')).toThrow();
});
