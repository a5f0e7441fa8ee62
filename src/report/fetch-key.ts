import { type Dispatcher, request } from 'undici';
import { fromPromise } from 'xstate';
import type { FetchKeyInput } from '../../machines/public-key.js';
import { pathOn } from '../net/address.js';
import { within } from '../patience.js';

/** A key is half a kilobyte. */
const KEY_LIMIT_BYTES = 64 * 1024;

export interface FetchKeyOptions {
  /** For the whole attempt. */
  readonly timeoutMs: number;
  readonly dispatcher: Dispatcher;
  /** Throws when it is no key that signatures can be checked with. */
  readonly check: (pem: string) => void;
}

/** One attempt to fetch the autoscaler's public key: the effect behind the machine of that name. */
export function createFetchKey({ timeoutMs, dispatcher, check }: FetchKeyOptions) {
  return fromPromise<string, FetchKeyInput>(({ input: { address }, signal }) =>
    within(timeoutMs, signal, async (bounded) => {
      const answer = await request(pathOn(address, '/pubkey/'), { dispatcher, signal: bounded });
      const pem = await readText(answer.body);
      if (answer.statusCode !== 200) throw new Error(`it answered with status ${answer.statusCode}`);
      check(pem);
      return pem;
    }),
  );
}

async function readText(body: Dispatcher.ResponseData['body']): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    if (bytes > KEY_LIMIT_BYTES) throw new Error('it answered more than a key');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}
