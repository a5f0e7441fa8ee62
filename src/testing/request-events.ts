import type { EndFacts, RequestFacts, RequestOutcome } from '../../machines/events.js';

/** What a test says of a request; what it does not say is that of a plain request of no work at time 0. */
export type Said = Partial<RequestFacts>;

const PLAIN: RequestFacts = { id: 1, kind: 'request', route: '/run', workload: 0, atMs: 0, requestIdx: null };

/** Of an end: nothing came in, and nothing went out. */
export const UNTOUCHED = { firstByteAtMs: null, receivedBytes: 0, sentBytes: 0 } as const;

export function started(said: Said = {}) {
  return { type: 'request.started', ...PLAIN, ...said } as const;
}

export function rejected(said: Said = {}) {
  return { type: 'request.rejected', ...PLAIN, ...said } as const;
}

/** A request that ends: one whose turn came when it entered, at time 0, unless the test says otherwise. */
export function ended<Outcome extends RequestOutcome>(
  outcome: Outcome,
  { enteredAtMs = 0, workStartedAtMs = enteredAtMs, ...said }: Partial<EndFacts> = {},
): { readonly type: `request.${Outcome}` } & EndFacts {
  return { type: `request.${outcome}`, ...PLAIN, ...UNTOUCHED, ...said, enteredAtMs, workStartedAtMs };
}
