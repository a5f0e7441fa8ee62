import { parseArgs } from 'node:util';
import { build } from './support/build.js';
import { rssOf } from './support/cpu.js';
import { countOf, tellProgress } from './support/options.js';
import { openStand } from './support/stand.js';
import { medianOf } from './support/stats.js';
import { PATHS } from './support/work.js';

const HELP = `What the worker that checks signatures holds in memory after many requests, against after few.

  --first <n>        the requests after which it is looked first (50000)
  --requests <n>     all of them (1000000)
  --connections <n>  how many at once (50)
  --no-build         measures what was compiled the last time`;

const MIB = 1_024 * 1_024;
const GOAL_MB = 20;

/** Progress is told, and connections are made anew, this often. */
const STEP = 10_000;

/**
 * Memory goes up and down by tens of megabytes with the garbage collector, so one reading says little: at each mark
 * the median of the last so many is taken.
 */
const READINGS = 5;

const { values } = parseArgs({
  options: {
    first: { type: 'string', default: '50000' },
    requests: { type: 'string', default: '1000000' },
    connections: { type: 'string', default: '50' },
    'no-build': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else await main();

async function main(): Promise<void> {
  const first = countOf('first', values.first);
  const total = countOf('requests', values.requests, first + 1);
  const connections = countOf('connections', values.connections);
  if (!values['no-build']) build();
  const stand = await openStand();
  const { secured } = stand.servers;
  let done = 0;
  const readings: number[] = [];
  /** Answers the memory held by then, in MB. */
  const until = async (count: number) => {
    while (done < count) {
      const requests = Math.min(STEP, count - done);
      await stand.measure({
        ...secured,
        path: PATHS.json,
        bodies: stand.bodies,
        connections,
        warmSeconds: 0,
        until: { requests },
      });
      done += requests;
      readings.push(rssOf(secured.pid) / MIB);
      tellProgress(`${done} of ${total} requests, ${readings.at(-1)?.toFixed(1)} MB`);
    }
    return medianOf(readings.slice(-READINGS));
  };
  try {
    const [before, after] = [await until(first), await until(total)];
    const grown = after - before;
    tellProgress('');
    console.log(
      `RSS by ${first} requests: ${before.toFixed(1)} MB; by ${total}: ${after.toFixed(1)} MB (medians of ${READINGS} readings).`,
    );
    console.log(
      `${grown <= GOAL_MB ? 'met    ' : 'NOT MET'}  grown by ${grown.toFixed(1)} MB (at most ${GOAL_MB})`,
    );
  } finally {
    await stand.close();
  }
}
