import { createVerify, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LocalAutoscaler } from '../../src/autoscaler/index.js';
import { SigningKeys } from '../../src/autoscaler/keys.js';
import { routeText } from '../../src/autoscaler/route-text.js';

const holds = (pem: string, text: string, signature: string) =>
  createVerify('RSA-SHA256').update(text).verify(pem, signature, 'base64');

describe('signatures', () => {
  it('are RSA PKCS#1 v1.5 over SHA-256 in base64, the same each time', async () => {
    const keys = new SigningKeys();
    const [first, second, pem] = await Promise.all([
      keys.sign('é {}'),
      keys.sign('é {}'),
      keys.publicKeyPem(),
    ]);
    expect(first).toBe(second);
    expect(Buffer.from(first, 'base64')).toHaveLength(256);
    expect([holds(pem, 'é {}', first), holds(pem, 'e {}', first)]).toEqual([true, false]);
  });

  it('are of the new key after a rotation, and the old ones are no longer good', async () => {
    const keys = new SigningKeys();
    const [before, oldPem] = [await keys.sign('text'), await keys.publicKeyPem()];
    await keys.rotate();
    const [after, pem] = [await keys.sign('text'), await keys.publicKeyPem()];
    expect(pem).not.toBe(oldPem);
    expect([holds(pem, 'text', after), holds(pem, 'text', before)]).toEqual([true, false]);
  });

  it('what is asked for during a rotation waits for the new key', async () => {
    const keys = new SigningKeys();
    const old = await keys.publicKeyPem();
    const rotated = keys.rotate();
    const [signature, pem] = await Promise.all([keys.sign('text'), keys.publicKeyPem()]);
    await rotated;
    expect(pem).not.toBe(old);
    expect(holds(await keys.publicKeyPem(), 'text', signature)).toBe(true);
  });
});

describe('a key that is given', () => {
  it('signs, until it is rotated', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const keys = new SigningKeys(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    expect(await keys.publicKeyPem()).toBe(pem);
    expect(holds(pem, 'text', await keys.sign('text'))).toBe(true);
    await keys.rotate();
    expect(await keys.publicKeyPem()).not.toBe(pem);
  });

  it('is a private one of RSA', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const other = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const open = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    for (const key of [other, open, 'no key', '']) {
      expect(() => new LocalAutoscaler({ privateKey: key })).toThrow(
        new RangeError('privateKey must be a private key of RSA, in PEM.'),
      );
    }
  });
});

describe('the signed text of a route', () => {
  const fields = { cost: 256, endpoint: 'my-endpoint', reqnum: 7, url: 'http://203.0.113.7:41234' };

  it('is the url alone in current', () => {
    expect(routeText('current', fields)).toBe('{\n    "url": "http://203.0.113.7:41234"\n}');
  });

  it('is all of it in legacy, numbers as they stand in the answer', () => {
    expect(routeText('legacy', { ...fields, cost: 0.5 })).toBe(
      '{\n    "cost": 0.5,\n    "endpoint": "my-endpoint",\n    "reqnum": 7,\n    "url": "http://203.0.113.7:41234"\n}',
    );
  });
});
