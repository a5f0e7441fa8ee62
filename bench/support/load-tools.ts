import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LoadResult } from '../../src/load/result.js';
import { BUILT } from './build.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

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

/** What each tool can tell at the finest: autocannon tells whole milliseconds. */
export const FINEST_MS = 1;

/** A kilobyte, as a prompt has. */
const BODY = JSON.stringify({ prompt: 'Once upon a time there was a worker. '.repeat(27) });

/**
 * One run of a tool, as a program of its own, on its command line.
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
  const kind = ['-m', 'POST', '-H', 'content-type=application/json', '-b', BODY];
  const args = [...kind, '-c', String(connections), '-d', String(seconds), '-j', '-n', url];
  const { stdout } = await run(
    process.execPath,
    [require.resolve('autocannon/autocannon.js'), ...args],
    WIDE,
  );
  const result = JSON.parse(stdout) as AutocannonResult;
  const { errors, non2xx, duration, latency } = result;
  return figuresOf('autocannon', errors + non2xx, result['2xx'] / duration, latency.p50);
}

interface AutocannonResult {
  readonly errors: number;
  readonly non2xx: number;
  readonly '2xx': number;
  /** In seconds. */
  readonly duration: number;
  readonly latency: { readonly p50: number };
}

const WIDE = { maxBuffer: 64 * 2 ** 20 };

function figuresOf(tool: Tool, failed: number, rate: number, p50Ms: number | undefined): Figures {
  if (failed > 0 || p50Ms === undefined) throw new Error(`${tool}: ${failed} requests failed`);
  return { rate, p50Ms };
}
