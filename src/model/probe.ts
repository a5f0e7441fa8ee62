import { Agent, type Dispatcher, request } from 'undici';
import { within } from '../patience.js';
import { whyNotReached } from './refused.js';

/** How much of an answer is read. Only its status matters, and a wrong server may send without end. */
const ANSWER_LIMIT_BYTES = 64 * 1024;

export interface Probe {
  /**
   * Asks once. Resolves at status 200.
   *
   * @throws {Error} whose message says why not, without the address: the status, refused, no answer in time, aborted
   */
  once(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface ProbeOptions {
  readonly url: string;
  /** For the whole, from the connection to the end of the answer. */
  readonly timeoutMs: number;
}

/**
 * Asks whether a server is well, over a connection of its own, so that it never waits behind requests. Each time
 * is a new connection: one that was kept may just have been closed by a server that is well.
 */
export function createProbe({ url, timeoutMs }: ProbeOptions): Probe {
  const dispatcher = new Agent({ connections: 1, pipelining: 0, connect: { timeout: timeoutMs } });
  return {
    async once(signal) {
      await within(timeoutMs, signal, (bounded) =>
        ask(url, dispatcher, bounded).catch((error: unknown) => {
          throw new Error(whyNotReached(error), { cause: error });
        }),
      );
    },
    close: () => dispatcher.destroy(),
  };
}

/** An address as it may be shown: without what may be a secret, its user and its query. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** Asks nobody while the model server does not run: what would answer is another server. */
export function unlessDown(probe: Probe, isDown: () => boolean): Probe {
  return {
    async once(signal) {
      if (isDown()) throw new Error('it does not run');
      await probe.once(signal);
    },
    close: () => probe.close(),
  };
}

async function ask(url: string, dispatcher: Dispatcher, signal: AbortSignal): Promise<void> {
  const { statusCode, body } = await request(url, { dispatcher, signal });
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    if (bytes > ANSWER_LIMIT_BYTES) break;
  }
  if (statusCode !== 200) throw new Error(`it answered with status ${statusCode}`);
}
