import { parseArgs } from 'node:util';
import { build } from './support/build.js';
import { countOf, numberOf, tellProgress } from './support/options.js';
import type { Listening } from './support/programs.js';
import { openStand, type Stand } from './support/stand.js';
import { spreadOf } from './support/stats.js';
import { PATHS } from './support/work.js';

const HELP = `What it costs that somebody looks: CPU time of the worker for each request, with its page's stream open and
closed, in pairs one after the other, in turn the one and the other first.

  --pairs <n>        how often (12)
  --seconds <n>      how long each half (2)
  --connections <n>  how many at once (50)
  --no-build         measures what was compiled the last time`;

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '50' },
    'no-build': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else await main();

interface Pair {
  readonly openMicros: number;
  readonly closedMicros: number;
}

async function main(): Promise<void> {
  const pairs = countOf('pairs', values.pairs);
  if (!values['no-build']) build();
  const stand = await openStand();
  try {
    await costOf(stand, 10);
    const measured: Pair[] = [];
    for (let pair = 1; pair <= pairs; pair++) {
      tellProgress(`pair ${pair} of ${pairs}`);
      measured.push(await measurePair(stand, pair % 2 === 0));
    }
    tellProgress('');
    console.log(textOf(measured));
  } finally {
    await stand.close();
  }
}

async function measurePair(stand: Stand, openFirst: boolean): Promise<Pair> {
  if (openFirst) {
    const openMicros = await costWhileOpen(stand);
    return { openMicros, closedMicros: await costOf(stand) };
  }
  const closedMicros = await costOf(stand);
  return { closedMicros, openMicros: await costWhileOpen(stand) };
}

async function costWhileOpen(stand: Stand): Promise<number> {
  const leave = await look(stand.servers.secured);
  try {
    return await costOf(stand);
  } finally {
    await leave();
  }
}

/** Microseconds of the worker's CPU time for each request. */
async function costOf({ servers, bodies, measure }: Stand, seconds?: number): Promise<number> {
  const { requests, serverCpuSeconds } = await measure({
    ...servers.secured,
    path: PATHS.json,
    bodies,
    connections: countOf('connections', values.connections),
    warmSeconds: 0.5,
    until: { seconds: seconds ?? numberOf('seconds', values.seconds, 0.1) },
  });
  return (serverCpuSeconds / requests) * 1e6;
}

/** Reads what the page reads, and throws it away. */
async function look({ internalPort }: Listening): Promise<() => Promise<void>> {
  const leaving = new AbortController();
  const url = `http://127.0.0.1:${internalPort}/inspect/events`;
  const { body, status } = await fetch(url, { signal: leaving.signal });
  if (status !== 200 || body === null) throw new Error(`the stream answers ${status}`);
  const reading = body.pipeTo(new WritableStream()).catch(() => {});
  return async () => {
    leaving.abort();
    await reading;
  };
}

function textOf(pairs: readonly Pair[]): string {
  const micros = (name: string, of: (pair: Pair) => number) => {
    const { min, median, max } = spreadOf(pairs.map(of));
    return `${name}: median ${median.toFixed(1)} µs a request, from ${min.toFixed(1)} to ${max.toFixed(1)}`;
  };
  const more = spreadOf(pairs.map(({ openMicros, closedMicros }) => (openMicros / closedMicros - 1) * 100));
  const percent = (value: number) => `${value >= 0 ? '+' : ''}${value.toFixed(1)} %`;
  return [
    `${pairs.length} pairs of the worker that checks signatures:`,
    micros('nobody looks', ({ closedMicros }) => closedMicros),
    micros('the page is open', ({ openMicros }) => openMicros),
    `more in a pair: median ${percent(more.median)}, half of the pairs from ${percent(more.lowerQuartile)} to ` +
      `${percent(more.upperQuartile)}, all from ${percent(more.min)} to ${percent(more.max)}`,
  ].join('\n');
}
