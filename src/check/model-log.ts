import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasCode, messageOf } from '../errors.js';
import { type Check, fatal, ok, warning } from './finding.js';

/** Whether the model's log can be read, or may still come. */
export const modelLog: Check = {
  name: 'model log',
  async look({ backend }) {
    const log = backend?.model?.log ?? null;
    if (log === null) return [ok('no log is watched')];
    if (backend?.model?.command != null) return [ok(`${log} is written by the worker`)];
    const change =
      'let MODEL_LOG name the file that the model server writes, and let this user read it ("chmod a+r")';
    try {
      if (!(await stat(log)).isFile()) return [fatal(`${log} is not a file`, change)];
      await access(log, constants.R_OK);
      return [ok(`${log} can be read`)];
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) {
        return [fatal(`${log} can not be read: ${messageOf(error)}`, change)];
      }
    }
    const hasFolder = await access(dirname(log)).then(
      () => true,
      () => false,
    );
    if (hasFolder) return [ok(`${log} is not there yet; it is waited for`)];
    return [
      warning(`there is no folder for ${log}`, `make it with "mkdir -p ${dirname(log)}", or ${change}`),
    ];
  },
};
