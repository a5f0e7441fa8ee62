import { writeFile } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import { EXIT, UserError } from './exit.js';

/**
 * The file of a report. That it can be written to is found out now, rather than after the run: it is empty until then.
 *
 * @throws {UserError} when it can not
 */
export async function openReport(path: string): Promise<(page: string) => Promise<void>> {
  const write = (page: string) =>
    writeFile(path, page).catch((error: unknown) => {
      throw new UserError(`the report can not be written: ${messageOf(error)}.`, EXIT.failed.code);
    });
  await write('');
  return write;
}
