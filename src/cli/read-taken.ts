import { readFileSync } from 'node:fs';
import { messageOf } from '../errors.js';
import type { Happening } from '../inspect/contract.js';
import { digests, RecordingError, readRecording } from '../inspect/recording.js';
import { UserError } from './exit.js';

/** What happened to the actors of a machine in a recording, which is not nothing. */
export function readTaken(path: string, machine: string): Happening[] {
  const { header, happenings } = recordingOf(path);
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

function recordingOf(path: string) {
  const text = textOf(path);
  try {
    return readRecording(text);
  } catch (error) {
    if (error instanceof RecordingError) throw new UserError(`${path}: ${error.message}`);
    throw error;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`can not read the recording: ${messageOf(error)}.`);
  }
}
