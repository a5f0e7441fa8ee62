import { parseArgs } from 'node:util';
import { build } from './support/build.js';
import { type Figures, type Load, measure, TOOLS, type Tool } from './support/load-tools.js';
import { countOf, tellProgress } from './support/options.js';
import { type Listening, Programs } from './support/programs.js';
import { type Spread, spreadOf } from './support/stats.js';

const HELP = `Whether \`tsworker load\` tells what another tool tells: rate and median latency of the same server under the
same load, by tsworker and by autocannon, in pairs one after the other, in turn the one and the other first. The exit
code is 1 where their medians differ by more than either of them varies by itself. Last, of a server that answers at
once, what each can do at most: there it is the tools that are measured, and they need not agree.

  --pairs <n>    how often (12)
  --seconds <n>  how long each half (5)
  --only <word>  those loads alone whose name has this in it
  --no-build     measures what was compiled the last time`;

const HEAD =
  '| load | figure | tsworker | autocannon | ratio in a pair | the medians differ by | and vary by | agree |';
const RULE = '| --- | --- | --: | --: | --: | --: | --: | --- |';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    'no-build': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(HELP);
else await main();

type Pair = Readonly<Record<Tool, Figures>>;

interface Setting {
  readonly name: string;
  readonly load: Load;
  /** Whether it is the tools that are at their limit. */
  readonly isLimit: boolean;
}

async function main(): Promise<void> {
  const [pairs, seconds] = [countOf('pairs', values.pairs), countOf('seconds', values.seconds)];
  if (!values['no-build']) build();
  const programs = new Programs();
  try {
    // 400 requests a second at most.
    const model = urlOf(await programs.start(['bench/model.js', '20', '8']));
    const upstream = urlOf(await programs.start(['bench/upstream.js']));
    const busy = urlOf(await programs.start(['bench/busy.js']));
    const settings: Setting[] = [
      { name: 'a model, 1 at a time', load: { url: model, connections: 1, seconds }, isLimit: false },
      { name: 'a model, 40 at once', load: { url: model, connections: 40, seconds }, isLimit: false },
      { name: 'a busy server, 50 at once', load: { url: busy, connections: 50, seconds }, isLimit: false },
      {
        name: 'answers at once, 50 at once',
        load: { url: `${upstream}json`, connections: 50, seconds },
        isLimit: true,
      },
    ];
    const texts: string[] = [];
    let agree = true;
    for (const setting of settings.filter(({ name }) => name.includes(values.only))) {
      const measured = await measurePairs(setting, pairs);
      const rows = rowsOf(setting, measured);
      agree &&= setting.isLimit || rows.every((row) => row.agrees);
      texts.push(...rows.map(({ text }) => text));
    }
    tellProgress('');
    console.log(
      `${pairs} pairs of ${seconds} s each. Medians, with quartiles.\n\n${[HEAD, RULE, ...texts].join('\n')}`,
    );
    process.exitCode = agree ? 0 : 1;
  } finally {
    await programs.end();
  }
}

function urlOf({ port }: Listening): string {
  return `http://127.0.0.1:${port}/`;
}

async function measurePairs({ name, load }: Setting, pairs: number): Promise<Pair[]> {
  // What is measured first would meet code that is not compiled yet.
  for (const tool of TOOLS) await measure(tool, { ...load, seconds: 1 });
  const measured: Pair[] = [];
  for (let pair = 1; pair <= pairs; pair++) {
    tellProgress(`${name}: pair ${pair} of ${pairs}`);
    const figures = new Map<Tool, Figures>();
    for (const tool of pair % 2 === 0 ? TOOLS : TOOLS.toReversed())
      figures.set(tool, await measure(tool, load));
    const [tsworker, autocannon] = TOOLS.map((tool) => figures.get(tool));
    if (tsworker && autocannon) measured.push({ tsworker, autocannon });
  }
  return measured;
}

function rowsOf({ name, isLimit }: Setting, pairs: readonly Pair[]) {
  return [
    rowOf(`${name} | requests/s`, pairs, ({ rate }) => rate, isLimit),
    rowOf(`${name} | p50 ms`, pairs, ({ p50Ms }) => p50Ms, isLimit),
  ];
}

function rowOf(name: string, pairs: readonly Pair[], of: (figures: Figures) => number, isLimit: boolean) {
  const [own, other] = TOOLS.map((tool) => spreadOf(pairs.map((pair) => of(pair[tool])))) as [Spread, Spread];
  const ratio = spreadOf(pairs.map(({ tsworker, autocannon }) => of(tsworker) / of(autocannon)));
  const difference = Math.abs(own.median - other.median);
  const spread = Math.max(widthOf(own), widthOf(other));
  const agrees = difference <= spread;
  const cells = [name, inWords(own), inWords(other), inWords(ratio), figure(difference), figure(spread)];
  const verdict = isLimit ? '' : agrees ? 'yes' : 'NO';
  return { agrees, text: `| ${[...cells, verdict].join(' | ')} |` };
}

/** The middle half lies within this. */
function widthOf({ lowerQuartile, upperQuartile }: Spread): number {
  return upperQuartile - lowerQuartile;
}

function inWords({ lowerQuartile, median, upperQuartile }: Spread): string {
  return `${figure(median)} (${figure(lowerQuartile)} to ${figure(upperQuartile)})`;
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}
