import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LoadResult } from '../../src/load/result.js';
import { BUILT } from './build.js';

const run = promisify(execFile);

export const TOOLS = ['tsworker', 'autocannon'] as const;

export type Tool = (typeof TOOLS)[number];

/** How much load: so many connections, each of which asks again when it is answered. */
export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface Figures {
  /** Answers per second. */
  readonly rate: number;
  readonly p50Ms: number;
}

/** A kilobyte, as a prompt has. */
const BODY = JSON.stringify({ prompt: 'Once upon a time there was a worker. '.repeat(27) });

/**
 * One run of a tool, as a program of its own.
 *
 * @throws when a request failed, or it told nothing
 */
export function measure(tool: Tool, load: Load): Promise<Figures> {
  return tool === 'tsworker' ? withTsworker(load) : withAutocannon(load);
}

async function withTsworker({ url, connections, seconds }: Load): Promise<Figures> {
  const args = [
    'load',
    url,
    '--payload',
    BODY,
    '--duration',
    `${seconds}s`,
    '--json',
    '--concurrency',
    String(connections),
  ];
  const { stdout } = await run(process.execPath, [join(BUILT, 'src/cli/main.js'), ...args], WIDE);
  const { requests, perSecond, latencyMs } = JSON.parse(stdout) as LoadResult;
  return figuresOf('tsworker', requests.failed, perSecond.succeeded, latencyMs?.p50);
}

async function withAutocannon({ url, connections, seconds }: Load): Promise<Figures> {
  const headers = { 'content-type': 'application/json' };
  const options = { url, connections, duration: seconds, method: 'POST', headers, body: BODY };
  const { stdout } = await run(
    process.execPath,
    [join(BUILT, 'bench/autocannon.js'), JSON.stringify(options)],
    WIDE,
  );
  const result = JSON.parse(stdout) as AutocannonResult;
  return figuresOf(
    'autocannon',
    result.errors + result.non2xx,
    result['2xx'] / result.duration,
    result.p50Ms,
  );
}

interface AutocannonResult {
  readonly errors: number;
  readonly non2xx: number;
  readonly '2xx': number;
  /** In seconds. */
  readonly duration: number;
  readonly p50Ms: number;
}

const WIDE = { maxBuffer: 64 * 2 ** 20 };

function figuresOf(tool: Tool, failed: number, rate: number, p50Ms: number | undefined): Figures {
  if (failed > 0 || p50Ms === undefined) throw new Error(`${tool}: ${failed} requests failed`);
  return { rate, p50Ms };
}
