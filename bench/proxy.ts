import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './support/build.js';
import { countOf, numberOf, tellProgress } from './support/options.js';
import { measureRounds } from './support/rounds.js';
import { goalsOf, rowsOf } from './support/rows.js';
import { openStand } from './support/stand.js';
import { goalsText, tablesOf } from './support/table.js';
import { KINDS } from './support/work.js';

const HELP = `What the worker costs between a client and a model server: requests, events, latency and CPU time of the
upstream alone, of a bare relay, of the worker with its door open, and of the worker that checks signatures.
Each is a process of its own on loopback; they are measured in turn, in rounds.

  --rounds <n>        how often each is measured (10; 2 with --quick)
  --seconds <n>       how long each time (2; 0.5 with --quick)
  --connections <n,…> how many at once (1,50,500)
  --only <kind>       json or stream
  --seed <n>          of the order in which they are measured (1)
  --json <file>       writes the figures there as well
  --quick             a first look, in less than 90 seconds
  --profile <folder>  a CPU profile of the worker that checks signatures, for the developer tools of Chrome
  --no-build          measures what was compiled the last time`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string', default: '1,50,500' },
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    profile: { type: 'string' },
    quick: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const options = readOptions();
  if (!values['no-build']) build();
  const startedAtMs = performance.now();
  const stand = await openStand(nodeOptionsFor(values.profile));
  const passes = await measureRounds(stand, options, tellProgress).finally(() => stand.close());
  const rows = rowsOf(passes);
  const goals = goalsOf(rows);
  const [{ model } = { model: 'unknown' }] = cpus();
  const machine = { node: process.version, cores: cpus().length, cpu: model };
  const tookSeconds = Math.round((performance.now() - startedAtMs) / 1_000);
  if (values.json !== undefined) {
    const figures = { machine, options, tookSeconds, rows, goals, passes };
    writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`);
  }
  tellProgress('');
  console.log(
    `${options.rounds} rounds of ${options.seconds} s each, on ${machine.cores} cores (${machine.cpu}), ` +
      `node ${machine.node}; took ${tookSeconds} s. Medians.\n`,
  );
  console.log(`${tablesOf(rows)}\n\n${goalsText(goals)}`);
}

/** The profile is written when the worker ends. */
function nodeOptionsFor(folder: string | undefined): readonly string[] {
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(folder)}`];
}

/** @throws when an option has no value that can be used */
function readOptions() {
  const { rounds, seconds, connections, only, seed, quick } = values;
  const kinds = KINDS.filter((kind) => only === undefined || only === kind);
  if (kinds.length === 0) throw new Error(`--only is "${only}"; it takes ${KINDS.join(' or ')}.`);
  return {
    rounds: countOf('rounds', rounds ?? (quick ? '2' : '10')),
    seconds: numberOf('seconds', seconds ?? (quick ? '0.5' : '2'), 0.1),
    connections: connections.split(',').map((count) => countOf('connections', count)),
    kinds,
    seed: countOf('seed', seed, 0),
  };
}
