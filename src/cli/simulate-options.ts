import { existsSync } from 'node:fs';
import { duration, integer, positive } from '../config/types.js';
import { NO_GPU } from '../model/gpu.js';
import { figure } from '../report-page/words.js';
import { RandomArrivals, type Sizes, secondBySecond } from '../simulate/arrivals.js';
import { MeasuredError, readMeasured } from '../simulate/measured.js';
import type { Experiment, Load } from '../simulate/outcome.js';
import { parseTurned, SetupError, setupOf, type Turned } from '../simulate/setup.js';
import { isShape, SHAPES, type ShapeName } from '../simulate/shapes.js';
import { readTrace, TraceError } from '../simulate/trace-file.js';
import { EXIT, UserError } from './exit.js';
import { parseOption } from './options.js';

/** The command line of `tsworker simulate`, as it is written. */
export interface SimulateOptions {
  readonly trace: string;
  readonly duration?: string;
  readonly rate?: string;
  readonly cost: string;
  readonly workersFrom?: string;
  readonly model?: string;
  readonly perf?: string;
  readonly policy: string;
  readonly compare?: string;
  readonly seed: string;
  readonly report?: string;
  readonly json?: true;
}

/** A simulation takes about a second for each million: it would seem to hang. */
const MOST_REQUESTS = 1e9;

const USUAL = { rate: '5', perf: '100' } as const;

/** @throws {UserError} */
export async function experimentOf(options: SimulateOptions): Promise<Experiment> {
  const seed = parseOption('--seed', options.seed, integer);
  const tried = triedOf(options);
  return { load: await loadOf(options), ...(await workersOf(options)), tried, seed };
}

function triedOf({ policy, compare }: SimulateOptions): Experiment['tried'] {
  const given = turned('--policy', policy);
  setup('--policy', given);
  if (compare === undefined) return [{ name: 'as given', turned: given }];
  const other = turned('--compare', compare);
  if (Object.keys(other).length === 0)
    throw new UserError('--compare is empty; it takes settings such as target-util=0.7.');
  setup('--compare', { ...given, ...other });
  return [
    { name: 'as given', turned: given },
    { name: compare.trim(), turned: { ...given, ...other } },
  ];
}

function turned(option: string, text: string): Turned {
  return told(option, () => parseTurned(text));
}

function setup(option: string, knobs: Turned): void {
  told(option, () => setupOf(knobs));
}

function told<T>(option: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof SetupError) throw new UserError(`${option}: ${error.message}.`);
    throw error;
  }
}

async function loadOf(options: SimulateOptions): Promise<Load> {
  const sizes = sizesOf(options.cost);
  const { trace } = options;
  return isShape(trace) ? shapedLoad(trace, options, sizes) : fileLoad(options, sizes);
}

function shapedLoad(name: ShapeName, options: SimulateOptions, sizes: Sizes): Load {
  const { durationMs: usualMs, of } = SHAPES[name];
  const durationMs = optionalDuration(options) ?? usualMs;
  const rate = parseOption('--rate', options.rate ?? USUAL.rate, positive);
  const tooMany = excessIn((rate * durationMs) / 1_000);
  if (tooMany !== null) throw new UserError(`--rate is "${options.rate}"; ${tooMany}`);
  return {
    about: `${name}: ${figure(rate)} requests/s on average, ${sizesInWords(sizes)}`,
    durationMs,
    // The rate and the moments of requests are chances of their own.
    arrivals: (seed) => new RandomArrivals(secondBySecond(of(rate, seed + 1)), sizes, durationMs, seed + 2),
  };
}

async function fileLoad(options: SimulateOptions, sizes: Sizes): Promise<Load> {
  const path = options.trace;
  if (!existsSync(path)) {
    throw new UserError(
      `--trace is "${path}"; it takes ${Object.keys(SHAPES).join(', ')}, or the path of a file such as trace.csv.`,
    );
  }
  if (options.rate !== undefined)
    throw new UserError(
      `--rate is for ${Object.keys(SHAPES).join(', ')}: a file says itself how much comes.`,
    );
  try {
    const trace = await readTrace(path);
    const durationMs = optionalDuration(options) ?? trace.durationMs;
    const tooMany = excessIn(trace.requests(durationMs));
    if (tooMany !== null) throw new TraceError(tooMany);
    if (durationMs === 0) throw new TraceError('it ends when it begins; its last row says when it ends.');
    return {
      about: path,
      durationMs,
      arrivals: (seed) => trace.arrivals(durationMs, sizes, seed + 2),
    };
  } catch (error) {
    if (error instanceof TraceError) throw new UserError(`${path}: ${error.message}`, EXIT.failed.code);
    throw error;
  }
}

/** What to change where so many requests come that nobody would wait for the end. */
function excessIn(requests: number): string | null {
  if (requests <= MOST_REQUESTS) return null;
  return `about ${figure(requests)} requests would come, and a simulation takes ${figure(MOST_REQUESTS)} at most, in about a quarter of an hour; take a lower rate with a larger --cost for the same work, or a shorter --duration.`;
}

function optionalDuration({ duration: text }: SimulateOptions): number | undefined {
  return text === undefined ? undefined : parseOption('--duration', text, duration);
}

/** `100`, or `50..400`. */
function sizesOf(text: string): Sizes {
  const [least, most = least] = text
    .split('..')
    .map((part) => Number(part.trim() === '' ? Number.NaN : part));
  const isTaken = text.split('..').length <= 2 && least !== undefined && most !== undefined;
  if (isTaken && least > 0 && most >= least && most <= 1e9) return { least, most };
  throw new UserError(
    `--cost is "${text}"; it takes units of work such as 100, or the least and the most such as 50..400.`,
  );
}

function sizesInWords({ least, most }: Sizes): string {
  return least === most ? `${figure(least)} units each` : `${figure(least)} to ${figure(most)} units each`;
}

async function workersOf(options: SimulateOptions): Promise<Pick<Experiment, 'perfs' | 'workers'>> {
  const { workersFrom: path, model, perf } = options;
  if (path === undefined) {
    if (model !== undefined)
      throw new UserError('--model is for --workers-from: it names a model of that file.');
    const does = parseOption('--perf', perf ?? USUAL.perf, positive);
    return { perfs: [does], workers: `workers do ${figure(does)} units/s` };
  }
  if (perf !== undefined)
    throw new UserError('--perf and --workers-from exclude each other: both say how fast workers are.');
  try {
    const measured = await readMeasured(path, model ?? '');
    const each = measured.map(({ gpu, maxPerf }) => figure(maxPerf) + (isNamed(gpu) ? ` (${gpu})` : ''));
    return {
      perfs: measured.map(({ maxPerf }) => maxPerf),
      workers: `workers do ${each.join(' or ')} units/s, as measured in ${path}`,
    };
  } catch (error) {
    if (error instanceof MeasuredError) throw new UserError(`${path}: ${error.message}.`, EXIT.failed.code);
    throw error;
  }
}

function isNamed(gpu: string): boolean {
  return gpu !== '' && gpu !== NO_GPU;
}
