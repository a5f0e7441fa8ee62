import { parseArgs } from 'node:util';
import { randomFrom } from '../machines/random.js';
import { build } from './support/build.js';
import { countOf, tellProgress } from './support/options.js';
import type { Listening } from './support/programs.js';
import { openStand, type Stand } from './support/stand.js';
import { intervalOf, spreadOf } from './support/stats.js';
import { PATHS } from './support/work.js';

const HELP = `What it costs that somebody looks: CPU time of the worker for each request, with its page's stream open and
closed, in many short pairs, in turn the one and the other first.

  --pairs <n>        how often (200)
  --requests <n>     how many each half of a pair has (2000)
  --connections <n>  how many at once (50)
  --no-build         measures what was compiled the last time`;

/** So many requests before anything is measured, until the worker's code is compiled. */
const WARM_REQUESTS = 30_000;

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '200' },
    requests: { type: 'string', default: '2000' },
    connections: { type: 'string', default: '50' },
    'no-build': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else await main();

/** Microseconds of CPU time for a request. */
interface Pair {
  readonly open: number;
  readonly closed: number;
}

async function main(): Promise<void> {
  const pairs = countOf('pairs', values.pairs);
  const requests = countOf('requests', values.requests);
  if (!values['no-build']) build();
  const stand = await openStand();
  try {
    await costOf(stand, WARM_REQUESTS);
    const measured: Pair[] = [];
    for (let pair = 1; pair <= pairs; pair++) {
      if (pair % 10 === 1) tellProgress(`pair ${pair} of ${pairs}`);
      measured.push(await measurePair(stand, requests, pair % 2 === 0));
    }
    tellProgress('');
    console.log(textOf(measured, requests));
  } finally {
    await stand.close();
  }
}

async function measurePair(stand: Stand, requests: number, openFirst: boolean): Promise<Pair> {
  if (openFirst) {
    const open = await costWhileOpen(stand, requests);
    return { open, closed: await costOf(stand, requests) };
  }
  const closed = await costOf(stand, requests);
  return { closed, open: await costWhileOpen(stand, requests) };
}

async function costWhileOpen(stand: Stand, requests: number): Promise<number> {
  const leave = await look(stand.servers.secured);
  try {
    return await costOf(stand, requests);
  } finally {
    await leave();
  }
}

/** Of so many requests, however long they take: beside busy neighbours a second has fewer of them. */
async function costOf({ servers, bodies, measure }: Stand, requests: number): Promise<number> {
  const { requests: answered, serverCpuSeconds } = await measure({
    ...servers.secured,
    path: PATHS.json,
    bodies,
    connections: countOf('connections', values.connections),
    warmSeconds: 0,
    until: { requests },
  });
  return (serverCpuSeconds / answered) * 1e6;
}

/**
 * Reads what the page reads, and throws it away. It is done when the first sample has come, by which time the page has
 * what happened before it was opened: that is told once, and not for each request.
 */
async function look({ internalPort }: Listening): Promise<() => Promise<void>> {
  const leaving = new AbortController();
  const url = `http://127.0.0.1:${internalPort}/inspect/events`;
  const { body, status } = await fetch(url, { signal: leaving.signal });
  if (status !== 200 || body === null) throw new Error(`the stream answers ${status}`);
  const lines = body.pipeThrough(new TextDecoderStream()).getReader();
  let told = '';
  while (!told.includes('event: sample\n')) {
    const { done, value } = await lines.read();
    if (done) throw new Error('the stream has ended');
    told = told.slice(-20) + value;
  }
  const reading = (async () => {
    while (!(await lines.read()).done);
  })().catch(() => {});
  return async () => {
    leaving.abort();
    await reading;
  };
}

/** How much more all the open halves have cost than all the closed ones, in percent. */
function moreIn(pairs: readonly Pair[]): number {
  const sum = (of: (pair: Pair) => number) => pairs.reduce((total, pair) => total + of(pair), 0);
  return (sum(({ open }) => open) / sum(({ closed }) => closed) - 1) * 100;
}

function textOf(pairs: readonly Pair[], requests: number): string {
  const micros = (name: string, of: (pair: Pair) => number) => {
    const { median, lowerQuartile, upperQuartile } = spreadOf(pairs.map(of));
    const [half, low, high] = [median, lowerQuartile, upperQuartile].map((value) => value.toFixed(1));
    return `${name}: median ${half} µs of CPU time a request, half of them from ${low} to ${high}`;
  };
  const percent = (value: number) => `${value >= 0 ? '+' : ''}${value.toFixed(1)} %`;
  const each = spreadOf(pairs.map((pair) => moreIn([pair])));
  const { from, to } = intervalOf(pairs, moreIn, randomFrom(1));
  return [
    `${pairs.length} pairs of twice ${requests} requests to the worker that checks signatures:`,
    micros('nobody looks', ({ closed }) => closed),
    micros('the page is open', ({ open }) => open),
    `more in a pair: median ${percent(each.median)}, half of the pairs from ${percent(each.lowerQuartile)} to ` +
      `${percent(each.upperQuartile)}, all from ${percent(each.min)} to ${percent(each.max)}`,
    `more in all: ${percent(moreIn(pairs))}, in 95 of 100 cases from ${percent(from)} to ${percent(to)}`,
  ].join('\n');
}
