import { expect, it } from 'vitest';
import { createActor, toPromise, waitFor } from 'xstate';
import { lifecycleMachine } from '../../machines/lifecycle.js';
import { port } from '../../machines/ports.js';
import { LIFECYCLE_INPUT } from '../support/machines/lifecycle.js';

it('an effect that was not provided rejects with its name', async () => {
  const actor = createActor(port('paint')).start();
  await expect(toPromise(actor)).rejects.toEqual(
    new Error('The effect "paint" was not provided to the machine.'),
  );
});

it('a machine without its effects fails with the name of the one that is missing', async () => {
  const actor = createActor(lifecycleMachine, {
    input: { ...LIFECYCLE_INPUT, reporter: { ...LIFECYCLE_INPUT.reporter, addresses: [] } },
  }).start();
  const { context } = await waitFor(actor, (snapshot) => snapshot.matches({ work: 'failing' }));
  expect(context.status.errorMessage).toBe('The effect "init" was not provided to the machine.');
  actor.stop();
});
