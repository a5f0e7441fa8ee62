import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backendFor, type Rig, rigAround, startModel } from '../conformance/rig.js';
import { Scribe } from '../conformance/scribe.js';
import { LegacyWorld, legacySteps } from '../support/legacy-world.js';

/** For a machine that has much else to do. */
const TIME_LIMIT_MS = 60_000;

/** Fixed, so that a failure is the same each time; another seed in the environment looks elsewhere. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_124);

async function legacyRig(env = {}): Promise<Rig> {
  const model = await startModel();
  return rigAround(await Scribe.start(), model, backendFor(model, { dialect: 'legacy' }), env);
}

/** What the autoscaler has acknowledged of the work, in all. */
function toldTo({ autoscaler }: Rig) {
  let [load, requests] = [0, 0];
  for (const { path, acknowledged, body } of autoscaler.messages) {
    if (path !== '/worker_status/' || !acknowledged) continue;
    const { message, cur_load, num_requests_recieved } = body as Record<string, unknown>;
    if (message !== 'data update') continue;
    load += Number(cur_load);
    requests = Number(num_requests_recieved);
  }
  return { load, requests };
}

it.each([
  ['which also takes what is not signed', {}, ['200', '400', '401', '401 repeated', '415', '422', 'model']],
  [
    'which demands signatures',
    { TSWORKER_REQUIRE_SIGNATURE: 'true' },
    ['200', '400', '401', '401 repeated', '401 unsigned', '415', '422'],
  ],
])(
  'a worker %s counts exactly what it lets in, whatever comes, and takes nothing twice',
  async (_name, env, wanted) => {
    const rig = await legacyRig(env);
    const world = await LegacyWorld.around(rig, { takesUnsigned: !('TSWORKER_REQUIRE_SIGNATURE' in env) });
    await fc.assert(
      fc.asyncProperty(legacySteps, async (steps) => {
        for (const step of steps) await world.take(step);
      }),
      // What failed has left the worker in another state, so there is no use in trying less.
      { numRuns: 25, seed: SEED, endOnFailure: true },
    );
    await rig.autoscaler.until(() => toldTo(rig).requests >= world.totals.requests);
    expect(toldTo(rig)).toEqual({ load: world.totals.received, requests: world.totals.requests });
    expect(rig.autoscaler.finished).toEqual([]);
    expect(rig.worker.view()).toMatchObject({ state: 'serving', requestsUnderWay: 0, requestsQueued: 0 });
    // So that requests which never meet trouble do not pass for a proof.
    expect(wanted.filter((name) => !world.met.has(name))).toEqual([]);
  },
  TIME_LIMIT_MS,
);
