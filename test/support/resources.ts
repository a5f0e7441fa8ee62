/** What keeps this process alive now, counted by kind. The test runner's own pipes and timers are in it. */
function resources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Kinds that the test runner makes and drops as it likes. */
const OF_THE_RUNNER = new Set([
  'Timeout',
  'Immediate',
  'PipeWrap',
  'MessagePort',
  'FSReqPromise',
  'FSReqCallback',
]);

/** Process events on which something may be left listening. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'uncaughtException', 'unhandledRejection', 'warning', 'exit'];

/**
 * What there is more of after the work than before it: sockets, servers, look-ups, listeners of the
 * process, warnings. Resources that go are given a few turns of the event loop for it.
 */
export async function leftBehindBy(work: () => Promise<void>): Promise<Record<string, number>> {
  const warnings: string[] = [];
  const note = (warning: Error) => void warnings.push(warning.name);
  process.on('warning', note);
  const before = resources();
  const listening = SIGNALS.map((signal) => process.listenerCount(signal));
  try {
    await work();
    let left: Record<string, number> = {};
    for (let turn = 0; turn < 100; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      left = Object.fromEntries(
        [...resources()]
          .map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const)
          .filter(([kind, more]) => more > 0 && !OF_THE_RUNNER.has(kind)),
      );
      if (Object.keys(left).length === 0) break;
    }
    for (const [index, signal] of SIGNALS.entries()) {
      const more = process.listenerCount(signal) - (listening[index] ?? 0);
      if (more > 0) left[signal] = more;
    }
    for (const warning of warnings) left[warning] = (left[warning] ?? 0) + 1;
    return left;
  } finally {
    process.off('warning', note);
  }
}
