import type { Dispatcher } from 'undici';
import { fromPromise } from 'xstate';
import { cut, type Ledger } from '../../machines/ledger.js';
import type { Attempt, Delivery } from '../../machines/reports.js';
import type { Dialect, Observed, Presence } from '../dialects/dialect.js';
import { pathOn } from '../net/address.js';
import type { Redact } from '../redact.js';
import { usedDiskGib } from './disk.js';
import { post } from './post.js';

export interface SendOptions {
  readonly dialect: Dialect;
  /** An error may be what a model server said. */
  readonly redact: Redact;
  readonly id: number;
  readonly mtoken: string;
  /** For each attempt. */
  readonly timeoutMs: number;
  readonly dispatcher: Dispatcher;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly ledger: () => Ledger;
  readonly present: () => Presence;
  readonly observed: () => Observed;
  /** The worker's public address; empty: not known. */
  readonly url: () => string;
  readonly onDiskMeasured: (usedGib: number) => void;
}

/**
 * One attempt to tell the autoscaler something: the effect behind the reporter. The window is cut
 * here, as late as can be, and belongs to this attempt alone.
 */
export function createSend(options: SendOptions) {
  const { dialect, redact, id, mtoken, timeoutMs, dispatcher, now, ledger } = options;
  return fromPromise<Delivery, Attempt>(async ({ input: { kind, address, status }, signal }) => {
    const startedAtMs = now();
    const accounts = dialect.accounts(kind, status);
    if (accounts.includes('diskGib')) {
      const usedGib = await usedDiskGib(timeoutMs);
      if (usedGib !== undefined) options.onDiskMeasured(usedGib);
    }
    const window = cut(ledger(), accounts, now());
    const told = { ...status, errorMessage: redact(status.errorMessage) };
    const facts = { id, mtoken, status: told, window, url: options.url(), present: options.present() };
    const message = dialect.encode(kind, { ...facts, observed: options.observed() });
    await post({
      dispatcher,
      url: pathOn(address, '/worker_status/'),
      body: message.body,
      timeoutMs,
      signal,
    });
    const { mtoken: _secret, ...shown } = message.body;
    return { window, name: message.name, shown: message.shown ?? shown, tookMs: now() - startedAtMs };
  });
}
