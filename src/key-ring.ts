import { type ActorRefFrom, waitFor } from 'xstate';
import type { publicKeyMachine } from '../machines/public-key.js';
import { Verifier } from './auth/verifier.js';
import type { Keys } from './http/door.js';

/** How long a request may wait to see whether the autoscaler has a newer key. */
const RENEWAL_MS = 5_000;

/** Checks signatures with the key that the public key actor holds, and tells it when one is wanted or in doubt. */
export class KeyRing implements Keys {
  readonly #verifier = new Verifier();
  readonly #actor: () => ActorRefFrom<typeof publicKeyMachine>;
  #pem = '';

  constructor(actor: () => ActorRefFrom<typeof publicKeyMachine>) {
    this.#actor = actor;
  }

  get hasKey(): boolean {
    this.#takeKey();
    return this.#verifier.hasKey;
  }

  verify(signedText: string, signature: string): boolean {
    this.#takeKey();
    return this.#verifier.verify(signedText, signature);
  }

  need(): void {
    this.#actor().send({ type: 'key.needed' });
  }

  async renew(): Promise<boolean> {
    const [actor, before] = [this.#actor(), this.#pem];
    actor.send({ type: 'key.doubted' });
    const settled = (snapshot: { matches: (state: { held: 'refreshing' }) => boolean }) =>
      !snapshot.matches({ held: 'refreshing' });
    await waitFor(actor, settled, { timeout: RENEWAL_MS }).catch(() => {});
    this.#takeKey();
    return this.#pem !== before;
  }

  #takeKey(): void {
    const { pem } = this.#actor().getSnapshot().context;
    if (pem === this.#pem) return;
    this.#verifier.setKey(pem);
    this.#pem = pem;
  }
}

/** @throws when it is no key that signatures can be checked with */
export function checkKey(pem: string): void {
  new Verifier().setKey(pem);
}
