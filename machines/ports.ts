import { fromPromise } from 'xstate';

/**
 * A named effect that the composition root must provide. Until it does, using it fails with its
 * name, so that a machine which was wired half can't look as if it worked.
 */
export function port<Output, Input extends object | undefined = undefined>(name: string) {
  return fromPromise<Output, Input>(() =>
    Promise.reject(new Error(`The effect "${name}" was not provided to the machine.`)),
  );
}
