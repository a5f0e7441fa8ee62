import { leakCheck } from '../../src/testing/leaks.js';

/** What there is more of after the work than before it, as where each was made, by its kind. */
export async function leftBehindBy(work: () => Promise<void>): Promise<Record<string, string[]>> {
  const leaks = leakCheck();
  try {
    await work();
    const left: Record<string, string[]> = {};
    for (const { kind, at } of await leaks.found()) left[kind] = [...(left[kind] ?? []), at];
    return left;
  } finally {
    leaks.end();
  }
}
