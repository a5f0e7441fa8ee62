import { createActor, setup } from 'xstate';
import { openLedger } from '../machines/ledger.js';
import { type ReporterInput, reporterMachine } from '../machines/reporter.js';
import type { Config } from './config/index.js';
import { NOTHING_OBSERVED } from './dialects/dialect.js';
import { dialectFor } from './dialects/index.js';
import { messageOf } from './errors.js';
import { checkKey } from './key-ring.js';
import { reporterInput } from './lifecycle-input.js';
import type { Log } from './log.js';
import { createChannel } from './report/channel.js';

export interface BeaconOptions {
  readonly config: Config;
  readonly dialect: 'legacy' | 'current';
  /** Why the worker can't start. */
  readonly message: string;
  readonly log: Log;
}

/** A reporter speaks to the machine that invoked it; this one does not listen. */
const alone = setup({
  types: {
    input: {} as ReporterInput,
    context: {} as ReporterInput,
    children: {} as { reporter: 'reporter' },
  },
  actors: { reporter: reporterMachine },
}).createMachine({
  context: ({ input }) => input,
  invoke: { id: 'reporter', src: 'reporter', input: ({ context }) => context },
});

/**
 * Tells the autoscaler, at once and at every heartbeat, why a worker could not start: a worker that is merely
 * silent would be waited for. Answers the function that ends it.
 */
export function lightBeacon({ config, dialect: name, message, log }: BeaconOptions): () => Promise<void> {
  const dialect = dialectFor({ name, hasModel: false, loadForm: 'sum', tellsCapacity: false });
  const now = () => performance.now();
  const nothing = openLedger(now());
  const channel = createChannel({
    dialect,
    config,
    now,
    checkKey,
    ledger: () => nothing,
    present: () => ({ load: 0, requests: 0, requestIdxs: [] }),
    observed: () => NOTHING_OBSERVED,
    url: () => '',
    onDiskMeasured: () => {},
  });
  const input = reporterInput(config, dialect, Math.floor(Math.random() * 2 ** 31));
  const actor = createActor(
    alone.provide({ actors: { reporter: reporterMachine.provide({ actors: { send: channel.send } }) } }),
    { input },
  );
  const { reporter } = actor.getSnapshot().children;
  if (reporter === undefined) throw new Error('The beacon has no reporter.');
  reporter.on('outage.began', ({ error }) =>
    log.warn(`no autoscaler takes reports (${messageOf(error)}); it is tried until one does`, {
      event: 'outage.began',
    }),
  );
  const first = reporter.on('report.delivered', ({ attempt: { address } }) => {
    first.unsubscribe();
    log.info(`${address} knows why the worker could not start`, { event: 'beacon.heard', address });
  });
  actor.start();
  const status = { phase: 'failing', loadTimeSeconds: 0, maxPerf: 0, errorMessage: message } as const;
  reporter.send({ type: 'status.changed', status });
  return async () => {
    actor.stop();
    await channel.close();
  };
}
