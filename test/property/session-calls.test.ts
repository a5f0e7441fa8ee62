import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Rig, startRig } from '../conformance/rig.js';
import { everyForm, steps } from '../support/session-steps.js';
import { type Met, MOST_SESSIONS, SessionWorld } from '../support/session-world.js';

/** For a machine that has much else to do. */
const TIME_LIMIT_MS = 60_000;

/** Fixed, so that a failure is the same each time; another seed in the environment looks elsewhere. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_124);

/** What the random steps must meet, so that calls which never meet trouble do not pass for a proof. */
const WANTED: readonly Met[] = [
  ...(['create 201', 'create 401', 'create 422', 'create 429', 'get 200', 'get 400', 'get 401'] as const),
  ...(['health 200', 'health 401', 'end 200', 'end 400', 'end 401', 'end 410', 'ask 200'] as const),
  ...(['ask 401', 'ask 410', 'ask 422', 'internal end 200'] as const),
];

function startWorld(): Promise<Rig> {
  return startRig({ env: { TSWORKER_MAX_SESSIONS: String(MOST_SESSIONS) } });
}

async function expectTold(rig: Rig, { finished }: SessionWorld): Promise<void> {
  const { autoscaler, worker } = rig;
  await autoscaler.until(() => autoscaler.finished.length >= finished.length);
  const told = autoscaler.finished.map(({ request_idx, status }) => `${request_idx} ${status}`);
  expect(told.sort()).toEqual([...finished].sort());
  expect(worker.view()).toMatchObject({ state: 'serving', sessions: 0, requestsUnderWay: 0 });
}

it(
  'each form of each part of a call about a session is taken or refused as it should be',
  async () => {
    const rig = await startWorld();
    const world = new SessionWorld(rig);
    for (const step of everyForm()) {
      await world.makeRoom();
      await world.take(step);
    }
    await world.endAll();
    await expectTold(rig, world);
  },
  TIME_LIMIT_MS,
);

it(
  'whatever is called of a session, the answer and the books are those of a table that a child could keep',
  async () => {
    const rig = await startWorld();
    const world = new SessionWorld(rig);
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        for (const step of taken) await world.take(step);
        await world.endAll();
      }),
      // What failed has left the worker in another state, so there is no use in trying less.
      { numRuns: 25, seed: SEED, endOnFailure: true },
    );
    await expectTold(rig, world);
    expect(WANTED.filter((name) => world.met[name] === undefined)).toEqual([]);
  },
  TIME_LIMIT_MS,
);
