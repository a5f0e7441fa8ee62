import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { Recent } from './recent.js';

export interface VerifierOptions {
  /** How many genuine signatures are remembered. 1000 if left out. */
  readonly remembered?: number;
}

const DEFAULT_REMEMBERED = 1_000;

/** Longer ones are verified each time, so that what is remembered stays within a few megabytes. */
const LONGEST_REMEMBERED = 8 * 1_024;

/** A private key or a certificate would give a public key too, but neither is what was asked for. */
const PUBLIC_KEY = /^\s*-----BEGIN (?:RSA )?PUBLIC KEY-----/;

/** Less than this is no signature that means anything. */
const FEWEST_BITS = 1_024;

/**
 * Tells genuine signatures of the autoscaler from others: RSA, PKCS#1 v1.5, over SHA-256. The scheme gives
 * one text one signature, so a pair that was genuine once is so until the key changes, and is remembered.
 * What was not genuine is not, so that nobody can fill the memory.
 */
export class Verifier {
  readonly #genuine: Recent;
  #key: { readonly object: KeyObject; readonly signatureLength: number } | undefined;

  constructor({ remembered = DEFAULT_REMEMBERED }: VerifierOptions = {}) {
    this.#genuine = new Recent(remembered);
  }

  get hasKey(): boolean {
    return this.#key !== undefined;
  }

  /**
   * Takes the key of the autoscaler. Another key makes all that was remembered void, the same key nothing.
   *
   * @throws Error where this is no RSA public key in PEM; the key from before stays
   */
  setKey(pem: string): void {
    const object = readKey(pem);
    if (this.#key?.object.equals(object)) return;
    this.#key = { object, signatureLength: lengthOfSignature(object) };
    this.#genuine.clear();
  }

  /** Without a key nothing is genuine. It never throws. */
  verify(signedText: string, signature: string): boolean {
    if (this.#key === undefined || signature.length !== this.#key.signatureLength) return false;
    const pair = signature + signedText;
    if (this.#genuine.has(pair)) return true;
    const bytes = decodeBase64(signature);
    if (bytes === undefined || !verify('sha256', Buffer.from(signedText), this.#key.object, bytes)) {
      return false;
    }
    if (pair.length <= LONGEST_REMEMBERED) this.#genuine.add(pair);
    return true;
  }
}

function readKey(pem: string): KeyObject {
  if (!PUBLIC_KEY.test(pem)) throw new Error('This is no public key in PEM.');
  const key = createPublicKey(pem);
  if (key.asymmetricKeyType !== 'rsa') throw new Error('This public key is not one for RSA.');
  if (bitsOf(key) < FEWEST_BITS) throw new Error('This RSA public key is too short.');
  return key;
}

function bitsOf({ asymmetricKeyDetails }: KeyObject): number {
  return asymmetricKeyDetails?.modulusLength ?? 0;
}

/** In base64: all signatures of a key have one length. */
function lengthOfSignature(key: KeyObject): number {
  return 4 * Math.ceil(Math.ceil(bitsOf(key) / 8) / 3);
}

/** Nothing where it is not exactly what an encoder gives, so that one signature has one text. */
function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
