import { expect, it } from 'vitest';
import { createActor, toPromise, waitFor } from 'xstate';
import { lifecycleMachine } from '../../machines/lifecycle.js';
import { port } from '../../machines/ports.js';
import { legacy } from '../../src/dialects/legacy/report.js';

it('an effect that was not provided rejects with its name', async () => {
  const actor = createActor(port('paint')).start();
  await expect(toPromise(actor)).rejects.toEqual(
    new Error('The effect "paint" was not provided to the machine.'),
  );
});

it('a machine without its effects fails with the name of the one that is missing', async () => {
  const actor = createActor(lifecycleMachine, {
    input: {
      startedAtMs: 0,
      serveUnreported: true,
      serveUnreportedAfterMs: 1,
      drainTimeoutMs: 1,
      reporter: {
        addresses: [],
        plan: legacy.plan,
        intervalMs: 1_000,
        backOff: { baseMs: 1, capMs: 1 },
        seed: 1,
      },
    },
  }).start();
  const { context } = await waitFor(actor, (snapshot) => snapshot.matches({ work: 'failing' }));
  expect(context.status.errorMessage).toBe('The effect "load" was not provided to the machine.');
  actor.stop();
});
