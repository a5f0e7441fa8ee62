import { appendFile, writeFile } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import { EXIT, UserError } from './exit.js';

/**
 * The file of a report. That it can be written to is found out now, rather than after the run; what an earlier run has
 * left in it stays until there is something to take its place.
 *
 * @throws {UserError} when it can not
 */
export async function openReport(path: string): Promise<(page: string) => Promise<void>> {
  await appendFile(path, '').catch(cannotBeWritten);
  return (page) => writeFile(path, page).catch(cannotBeWritten);
}

function cannotBeWritten(error: unknown): never {
  throw new UserError(`the report can not be written: ${messageOf(error)}.`, EXIT.failed.code);
}
