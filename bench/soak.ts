import { parseArgs } from 'node:util';
import { randomFrom } from '../machines/random.js';
import { Books } from './soak/books.js';
import { Clients } from './soak/clients.js';
import { badAnswers } from './soak/faults.js';
import type { Samples } from './soak/sample.js';
import { rest, type Scene, spellsIn, storm } from './soak/spell.js';
import { Stage } from './soak/stage.js';
import { tellChecks, tellSummary } from './soak/summary.js';
import { booksAreEven, nothingGrows, poolsAreBounded } from './soak/verdict.js';
import { build } from './support/build.js';
import { countOf, numberOf } from './support/options.js';

const HELP = `A worker, its model server and an autoscaler under a storm of clients, with faults at random.

  --minutes <n>   how long the storm is, without its rests (20)
  --clients <n>   how many at once (32)
  --seed <n>      of the faults and of what clients do (another one each time)
  --no-build      runs what was compiled the last time`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    clients: { type: 'string', default: '32' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'no-build': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else process.exitCode = (await main()) ? 0 : 1;

/** Whether all is as it should be. */
async function main(): Promise<boolean> {
  const minutes = numberOf('minutes', values.minutes, 0.5);
  const clientCount = countOf('clients', values.clients);
  const seed = countOf('seed', values.seed, 0);
  if (!values['no-build']) build();
  console.log(`${minutes} minutes, ${clientCount} clients, seed ${seed}`);
  const random = randomFrom(seed);
  const books = new Books();
  const stage = await Stage.open(books, badAnswers(random));
  const clients = new Clients(await stage.signed(), books, random);
  const scene: Scene = { stage, clients, clientCount, books, random, survived: {} };
  try {
    const samples: Samples = { start: await stage.sample(), quiet: [], busy: [] };
    const spells = spellsIn(minutes);
    for (let count = 0; count < spells; count++) {
      samples.busy.push(...(await storm(scene, (minutes * 60_000) / spells)));
      samples.quiet.push(await rest(scene));
    }
    const { reported } = (await stage.view()).ledger;
    const exitCode = await stage.stop();
    const checks = [
      ...booksAreEven(books, exitCode),
      ...nothingGrows(samples.quiet),
      poolsAreBounded(samples.quiet, clientCount),
    ];
    tellSummary(scene, samples, reported);
    tellChecks(checks);
    const isMet = checks.every((each) => each.isMet);
    if (!isMet) console.log(stage.problems.join('\n'));
    return isMet;
  } finally {
    await clients.close();
    await stage.close();
  }
}
