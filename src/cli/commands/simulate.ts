import { carryOut } from '../../simulate/outcome.js';
import { reportOf } from '../../simulate/report.js';
import { tableOf } from '../../simulate/table.js';
import { EXIT } from '../exit.js';
import { type Io, print } from '../io.js';
import { openReport } from '../report-file.js';
import { experimentOf, type SimulateOptions } from '../simulate-options.js';

/** Tries a policy in virtual time, and tells what it costs and how long requests wait. */
export async function simulate(options: SimulateOptions, io: Io): Promise<number> {
  const experiment = await experimentOf(options);
  const report = options.report === undefined ? undefined : await openReport(options.report);
  const outcome = carryOut(experiment);
  await report?.(reportOf(outcome));
  await print(options.json === true ? `${JSON.stringify(outcome, null, 2)}\n` : tableOf(outcome), io);
  return EXIT.ok.code;
}
