import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Books } from './soak/books.js';
import { Clients } from './soak/clients.js';
import { badAnswers, doHarm } from './soak/faults.js';
import { type Sample, Stage } from './soak/stage.js';
import { booksAreEven, nothingGrows } from './soak/verdict.js';
import { build } from './support/build.js';
import { countOf, numberOf } from './support/options.js';
import { randomFrom } from './support/stats.js';

const HELP = `A worker, its model server and an autoscaler under a storm of clients, with faults at random.

  --minutes <n>   how long (20)
  --clients <n>   how many at once (32)
  --seed <n>      of the faults and of what clients do (another one each time)
  --no-build      runs what was compiled the last time`;

const LOOK_MS = 10_000;
const QUIET_MS = 60_000;
/** More than all that clients may have given up. */
const ABSORB_UNITS = 1_000_000;

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
  try {
    const isOver = new AbortController();
    const samples: Sample[] = [];
    const storm = clients.storm(clientCount, isOver.signal);
    const harm = doHarm(stage, random, isOver.signal);
    // A harm that is not survived ends everything at once.
    const watch = look(stage, books, samples, minutes * 60_000);
    await Promise.race([watch, harm]);
    isOver.abort();
    const [survived] = await Promise.all([harm, storm]);
    await settle(stage, clients);
    const exitCode = await stage.stop();
    console.table({ ...clients.counts });
    console.table(survived);
    console.table({ ...books.finished, repeated: books.repeated });
    const checks = [...booksAreEven(books, exitCode), ...nothingGrows(samples)];
    for (const { name, isMet, found } of checks)
      console.log(`${isMet ? 'met    ' : 'NOT MET'}  ${name}: ${found}`);
    const isMet = checks.every((each) => each.isMet);
    if (!isMet) console.log(stage.problems.join('\n'));
    return isMet;
  } finally {
    await clients.close();
    await stage.close();
  }
}

/** Tells every ten seconds how the worker is, until the time is over. */
async function look(stage: Stage, books: Books, samples: Sample[], forMs: number): Promise<void> {
  const startedAtMs = performance.now();
  while (performance.now() - startedAtMs < forMs) {
    await sleep(LOOK_MS);
    const [sample, view] = [await stage.sample(), await stage.view()];
    samples.push(sample);
    const { rssMib, heapMib, lagP99Ms, fds, timers, sockets } = sample;
    const { Success, Error: errors, Cancelled, Rejected } = books.finished;
    console.log(
      `${Math.round((performance.now() - startedAtMs) / 1_000)} s: ${view.state}, ${books.requests} requests ` +
        `(${Success} ok, ${errors} errors, ${Cancelled} cancelled, ${Rejected} rejected), ${view.sessions} sessions, ` +
        `${view.requestsUnderWay} under way; RSS ${rssMib.toFixed(0)} MiB, heap ${heapMib.toFixed(1)} MiB, ` +
        `lag p99 ${lagP99Ms.toFixed(0)} ms, ${fds} fds, ${sockets} sockets, ${timers} timers`,
    );
  }
}

/** Until nothing is under way and everything is told. */
async function settle(stage: Stage, clients: Clients): Promise<void> {
  await stage.until(({ state }) => state === 'serving', QUIET_MS);
  if (!(await clients.absorb(ABSORB_UNITS))) throw new Error('the last request was not answered');
  await stage.until(({ requestsUnderWay, sessions, completions, ledger: { unreported } }) => {
    const left = Object.values(unreported).reduce((sum, units) => sum + Math.abs(units), 0);
    return requestsUnderWay + sessions + completions.untold + left === 0;
  }, QUIET_MS);
}
