import {
  createPrivateKey,
  createPublicKey,
  sign as cryptoSign,
  generateKeyPair,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);
const signWith = promisify(cryptoSign);

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/**
 * An RSA-2048 key pair, made on a thread of its own when it is first asked for: neither listening
 * nor a worker that needs no key waits for it, and a start costs no time of a busy processor.
 */
export class SigningKeys {
  #pair: Promise<Pair> | undefined;
  readonly #signing = new Set<Promise<unknown>>();

  /**
   * @param privateKeyPem in place of one that is made
   * @throws {RangeError} when it is none of RSA
   */
  constructor(privateKeyPem?: string) {
    if (privateKeyPem === undefined) return;
    const privateKey = readPrivateKey(privateKeyPem);
    this.#pair = Promise.resolve({ privateKey, publicKey: createPublicKey(privateKey) });
  }

  /** The public key as PEM (SPKI), as workers fetch it. */
  async publicKeyPem(): Promise<string> {
    const { publicKey } = await this.#current();
    return publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  /** The signature of a text in base64: RSA PKCS#1 v1.5 over SHA-256, the same each time for one key. */
  async sign(text: string): Promise<string> {
    const { privateKey } = await this.#current();
    const signing = signWith('sha256', Buffer.from(text), privateKey);
    this.#signing.add(signing);
    try {
      return (await signing).toString('base64');
    } finally {
      this.#signing.delete(signing);
    }
  }

  /** Makes a new pair; what is asked for from now on waits for it. What was signed before stays as it is. */
  async rotate(): Promise<void> {
    await this.#make();
  }

  /** Waits until no key is being made and nothing is being signed, whatever came of it. */
  async settled(): Promise<void> {
    await this.#pair?.catch(() => {});
    await Promise.allSettled(this.#signing);
  }

  #current(): Promise<Pair> {
    return this.#pair ?? this.#make();
  }

  #make(): Promise<Pair> {
    const pair = generate('rsa', { modulusLength: 2048 });
    this.#pair = pair;
    return pair;
  }
}

function readPrivateKey(pem: string): KeyObject {
  const problem = 'privateKey must be a private key of RSA, in PEM.';
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch (cause) {
    throw new RangeError(problem, { cause });
  }
  throw new RangeError(problem);
}
