import { carryOut } from '../../simulate/outcome.js';
import { tableOf } from '../../simulate/table.js';
import { EXIT } from '../exit.js';
import { type Io, print } from '../io.js';
import { experimentOf, type SimulateOptions } from '../simulate-options.js';

/** Tries a policy in virtual time, and tells what it costs and how long requests wait. */
export async function simulate(options: SimulateOptions, io: Io): Promise<number> {
  const outcome = carryOut(await experimentOf(options));
  await print(options.json === true ? `${JSON.stringify(outcome, null, 2)}\n` : tableOf(outcome), io);
  return EXIT.ok.code;
}
