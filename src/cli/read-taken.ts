import type { Happening } from '../inspect/contract.js';
import { digests } from '../inspect/recording.js';
import { UserError } from './exit.js';
import { recordingIn } from './read-recording.js';

/** What happened to the actors of a machine in a recording, which is not nothing. */
export function readTaken(path: string, machine: string): Happening[] {
  const { header, happenings } = recordingIn(path);
  if (header.machines[machine] !== digests()[machine]) {
    throw new UserError(`${path} was recorded with another version of the ${machine} machine.`);
  }
  const taken = happenings.filter((happening) => happening.machine === machine);
  if (taken.length > 0) return taken;
  const recorded = Object.keys(header.machines).filter((name) =>
    happenings.some((each) => each.machine === name),
  );
  throw new UserError(
    `${path} has nothing of the ${machine} machine${recorded.length > 0 ? `; it has ${recorded.join(', ')}` : ', nor of another'}.`,
  );
}
