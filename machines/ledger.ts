/**
 * The ledger of what was done and what of it the autoscaler knows.
 *
 * Totals only grow. A window is what the totals hold beyond what was reported. Only an
 * acknowledgement moves `reported`, and only by what its window held, so each unit of work is in
 * exactly one report whose answer was read: a failed report costs nothing, a late one loses
 * nothing, and a second acknowledgement changes nothing.
 *
 * Two accounts may shrink. `diskGib` is the used space, a level rather than a count. `load` is the work
 * that was received less what was given up again; no window tells less than nothing of it, so where more was
 * given up than came in, the deficit stays for the windows that follow.
 */
export const ACCOUNTS = [
  'requests',
  'received',
  'served',
  'errored',
  'cancelled',
  'rejected',
  'load',
  'diskGib',
] as const;

/**
 * requests: a count, those that were refused included; received, served, errored, cancelled, rejected, load:
 * units of work; diskGib: used space in GiB.
 */
export type Account = (typeof ACCOUNTS)[number];

export type Totals = Readonly<Record<Account, number>>;

export interface Ledger {
  readonly totals: Totals;
  /** What the autoscaler has acknowledged. */
  readonly reported: Totals;
  /** Up to when it has: the time of the cut of the last acknowledged window, for each account. */
  readonly reportedUntilMs: Totals;
  readonly acknowledgements: number;
}

/** What is not yet reported of some accounts, as it stood when the window was cut. */
export interface Window {
  /** The acknowledgements that the ledger had then: a window is good for exactly the next one. */
  readonly basis: number;
  readonly cutAtMs: number;
  readonly work: Partial<Totals>;
  readonly upTo: Partial<Totals>;
  readonly sinceMs: Partial<Totals>;
}

/** An empty ledger whose first interval begins at `startedAtMs`. */
export function openLedger(startedAtMs: number): Ledger {
  const nothing = pick(ACCOUNTS, () => 0) as Totals;
  return {
    totals: nothing,
    reported: nothing,
    reportedUntilMs: pick(ACCOUNTS, () => startedAtMs) as Totals,
    acknowledgements: 0,
  };
}

/** Adds to accounts. The amounts must be finite; only that of `load` may be negative. */
export function record(ledger: Ledger, amounts: Partial<Totals>): Ledger {
  const totals = { ...ledger.totals };
  for (const account of Object.keys(amounts) as Account[]) totals[account] += amounts[account] ?? 0;
  return { ...ledger, totals };
}

/** Sets the level of the used disk space. The first measurement is the base, so it reports no growth. */
export function recordDisk(ledger: Ledger, usedGib: number): Ledger {
  const first = ledger.totals.diskGib === 0;
  return {
    ...ledger,
    totals: { ...ledger.totals, diskGib: usedGib },
    reported: first ? { ...ledger.reported, diskGib: usedGib } : ledger.reported,
  };
}

/** Cuts a window over some accounts. The ledger does not change: cutting again and again is free. */
export function cut(ledger: Ledger, accounts: readonly Account[], atMs: number): Window {
  return {
    basis: ledger.acknowledgements,
    cutAtMs: atMs,
    work: pick(accounts, (account) => toldOf(ledger, account) - ledger.reported[account]),
    upTo: pick(accounts, (account) => toldOf(ledger, account)),
    sinceMs: pick(accounts, (account) => ledger.reportedUntilMs[account]),
  };
}

/**
 * Moves `reported` to what the window held. A window that was cut before another acknowledgement
 * is void, because what it holds overlaps with what was acknowledged since.
 */
export function acknowledge(ledger: Ledger, window: Window): Ledger {
  if (window.basis !== ledger.acknowledgements) return ledger;
  const accounts = Object.keys(window.upTo) as Account[];
  return {
    ...ledger,
    reported: { ...ledger.reported, ...window.upTo },
    reportedUntilMs: { ...ledger.reportedUntilMs, ...pick(accounts, () => window.cutAtMs) },
    acknowledgements: ledger.acknowledgements + 1,
  };
}

/** Whether a window over these accounts would tell work. That the used space has changed is none. */
export function holdsWork(ledger: Ledger, accounts: readonly Account[]): boolean {
  return accounts.some(
    (account) => account !== 'diskGib' && toldOf(ledger, account) > ledger.reported[account],
  );
}

/** What no acknowledged report has told yet. */
export function unreported(ledger: Ledger): Totals {
  return pick(ACCOUNTS, (account) => ledger.totals[account] - ledger.reported[account]) as Totals;
}

/** Up to where a window tells an account. */
function toldOf({ totals, reported }: Ledger, account: Account): number {
  return account === 'load' ? Math.max(totals.load, reported.load) : totals[account];
}

function pick(accounts: readonly Account[], value: (account: Account) => number): Partial<Totals> {
  return Object.fromEntries(accounts.map((account) => [account, value(account)]));
}
