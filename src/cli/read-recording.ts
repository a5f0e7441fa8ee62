import { readFileSync } from 'node:fs';
import { messageOf } from '../errors.js';
import { type Recording, RecordingError, readRecording } from '../inspect/recording.js';
import { UserError } from './exit.js';

/** @throws {UserError} when there is none, with why */
export function recordingIn(path: string): Recording {
  try {
    return readRecording(readFileSync(path, 'utf8'));
  } catch (error) {
    const why = error instanceof RecordingError ? error.message : `it can not be read: ${messageOf(error)}.`;
    throw new UserError(`${path}: ${why}`);
  }
}
