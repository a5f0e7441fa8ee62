import { createActor, createMachine } from 'xstate';
import { silentLog } from '../../../src/log.js';
import { redactor } from '../../../src/redact.js';
import { Supervision } from '../../../src/supervisor/supervision.js';

/**
 * A small program that runs a model server, for the tests that kill the one who runs it. It is given the file in
 * which it writes down what runs, and the command; it prints what the model says. SIGUSR2 ends it at once.
 */

const [runFile = '', command = ''] = process.argv.slice(2);
const supervision = new Supervision({
  command,
  env: process.env,
  redact: redactor(process.env),
  runFile,
  logFile: null,
  log: silentLog,
  now: () => performance.now(),
  onLine: (line) => void process.stdout.write(`${line}\n`),
  noteEveryMs: 20,
});
const input = {
  backOff: { baseMs: 10, capMs: 10 },
  seed: 1,
  stableAfterMs: 60_000,
  maxCrashes: 1,
  graceMs: 5_000,
  killedWithinMs: 5_000,
};
createActor(
  createMachine({ invoke: { id: 'supervisor', src: supervision.machine(), input }, on: { '*': {} } }),
).start();
process.on('SIGUSR2', () => process.exit(0));
// The model alone does not keep this process alive when its streams end.
setInterval(() => {}, 60_000);
