import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

const generate = promisify(generateKeyPair);

/**
 * An RSA-2048 key pair, made on a thread of its own when it is first asked for: neither listening
 * nor a worker that needs no key waits for it, and a start costs no time of a busy processor.
 */
export class SigningKeys {
  #pair: Promise<{ publicKey: KeyObject; privateKey: KeyObject }> | undefined;

  /** The public key as PEM (SPKI), as workers fetch it. */
  async publicKeyPem(): Promise<string> {
    this.#pair ??= generate('rsa', { modulusLength: 2048 });
    const { publicKey } = await this.#pair;
    return publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  /** Waits until no key is being made, whatever came of it. */
  async settled(): Promise<void> {
    await this.#pair?.catch(() => {});
  }
}
