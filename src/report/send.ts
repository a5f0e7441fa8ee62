import type { Dispatcher } from 'undici';
import { fromPromise } from 'xstate';
import { cut, type Ledger } from '../../machines/ledger.js';
import type { Attempt, Delivery } from '../../machines/reports.js';
import type { Dialect } from '../dialects/dialect.js';
import { usedDiskGib } from './disk.js';
import { post } from './post.js';

export interface SendOptions {
  readonly dialect: Dialect;
  readonly id: number;
  readonly mtoken: string;
  /** For each attempt. */
  readonly timeoutMs: number;
  readonly dispatcher: Dispatcher;
  /** Monotonic, in ms. */
  readonly now: () => number;
  readonly ledger: () => Ledger;
  readonly onDiskMeasured: (usedGib: number) => void;
}

/**
 * One attempt to tell the autoscaler something: the effect behind the reporter. The window is cut
 * here, as late as can be, and belongs to this attempt alone.
 */
export function createSend(options: SendOptions) {
  const { dialect, id, mtoken, timeoutMs, dispatcher, now, ledger } = options;
  return fromPromise<Delivery, Attempt>(async ({ input: { kind, address, status }, signal }) => {
    const startedAtMs = now();
    const accounts = dialect.accounts(kind, status);
    if (accounts.includes('diskGib')) {
      const usedGib = await usedDiskGib(timeoutMs);
      if (usedGib !== undefined) options.onDiskMeasured(usedGib);
    }
    const window = cut(ledger(), accounts, now());
    const { name, body } = dialect.encode(kind, { id, mtoken, status, window });
    await post({ dispatcher, url: statusUrl(address), body, timeoutMs, signal });
    const { mtoken: _secret, ...shown } = body;
    return { window, name, shown, tookMs: now() - startedAtMs };
  });
}

function statusUrl(address: string): string {
  return `${address.replace(/\/+$/, '')}/worker_status/`;
}
