import { expect, it, vi } from 'vitest';
import { sumsOf } from '../conformance/scribe.js';
import { type IntruderKind, Intruders } from '../support/faults-intruders.js';
import { Regulars, startBeforeEcho } from '../support/faults-regulars.js';

const PATIENCE = { timeout: 30_000 };

const INTRUDERS = 100;
/** How many requests one of them sends ahead. */
const PIPELINED = 50;

/** What resident memory may grow by for each of them, with what V8 has not given back yet. */
const MOST_KIB_EACH = 1_024;

/** What each kind may be told, and nothing else. */
const KINDS: readonly (readonly [kind: IntruderKind, statuses: readonly string[]])[] = [
  ['malformed', ['400', '431']],
  ['half-closing', ['400', '422']],
  ['pipelining', ['404']],
];

/** Of reports that the worker makes every 100 ms if nothing holds it up; then it makes fewer. */
const MOST_REPORTS = 30;

it.each(KINDS)(
  `${INTRUDERS} %s clients, who come again and again: all others are served, memory is bounded, and nothing is left of them`,
  async (kind, statuses) => {
    const world = await startBeforeEcho();
    const { worker, autoscaler, model } = world;
    const regulars = new Regulars(world);
    await regulars.ask(100);
    const before = worker.program.resources();

    const intruders = new Intruders(worker.port, kind, INTRUDERS);
    await regulars.askUntil(intruders.there());
    await regulars.ask(50);
    const during = worker.program.resources();
    intruders.leave();
    const told = await regulars.askUntil(intruders.gone());
    await regulars.ask(10);

    expect(Object.keys(told).sort()).toEqual(statuses);
    if (kind === 'pipelining') expect((told[404] ?? 1) % PIPELINED).toBe(0);
    expect(regulars.wrong).toEqual([]);
    expect(regulars.mostReports).toBeLessThan(MOST_REPORTS);
    const grownKib = ((during.rssMib - before.rssMib) * 1_024) / INTRUDERS;
    expect(grownKib).toBeLessThan(MOST_KIB_EACH);
    await vi.waitFor(() => {
      const { fds, sockets } = worker.program.resources();
      expect(fds - before.fds).toBeLessThanOrEqual(2);
      expect(sockets - before.sockets).toBeLessThanOrEqual(2);
    }, PATIENCE);
    const after = worker.program.resources();
    // Of all that came, the model server has heard of those alone that were genuine, once each.
    const asked = model.requests.filter((each) => !each.startsWith('GET'));
    expect(asked).toEqual(Array(regulars.served).fill('POST /v1/completions'));
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    const { served } = regulars;
    expect(sumsOf(autoscaler.statuses)).toEqual({ new_load: served, rej_load: 0, cur_perf: served });
    expect(worker.log.filter(({ level }) => level >= 40)).toEqual([]);
    console.info(
      JSON.stringify({ kind, served, mostReports: regulars.mostReports, grownKib, before, during, after }),
    );
  },
);
