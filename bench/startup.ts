import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LocalAutoscaler } from '../src/autoscaler/index.js';

/**
 * How long the built worker takes from the start of its process until it listens, until it serves, and until
 * the autoscaler has acknowledged that it is loaded. A bare node and a bare express hello are started
 * in turn with it: on a machine that is busy, look at the ratios.
 *
 *   npm run bench:startup [-- --runs 15] [--json]
 */
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '15' }, json: { type: 'boolean', default: false } },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs is "${values.runs}"; it takes 1 or more`);

const GOALS_MS: Readonly<Record<string, number>> = { 'worker listens': 1_000, 'loaded acknowledged': 1_500 };

const root = fileURLToPath(new URL('..', import.meta.url));
const EXPRESS_HELLO = `
  import express from 'express';
  const app = express();
  app.get('/', (_request, response) => response.send('hello'));
  const server = app.listen(0, '127.0.0.1', () => console.log('listening'));
  process.on('SIGTERM', () => server.close());`;

const samples = new Map<string, number[]>();

function note(what: string, ms: number): void {
  const known = samples.get(what);
  if (known) known.push(ms);
  else samples.set(what, [ms]);
}

async function bareNode(): Promise<void> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await once(child, 'exit');
  note('bare node, start to end', performance.now() - startedAt);
}

async function bareExpress(): Promise<void> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['--input-type=module', '-e', EXPRESS_HELLO], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  note('bare express listens', performance.now() - startedAt);
  child.kill();
  await ended;
}

async function worker(autoscaler: LocalAutoscaler, id: number): Promise<void> {
  const acknowledged = autoscaler.waitForMessage(
    (message) => message.workerId === id && message.kind === 'loaded' && message.acknowledged,
  );
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['dist/src/cli/main.js', 'start', 'helloautoscaler'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      CONTAINER_ID: String(id),
      REPORT_ADDR: autoscaler.url,
      MASTER_TOKEN: 'bench',
      TSWORKER_HOST: '127.0.0.1',
      WORKER_PORT: '0',
      WORKER_HTTP_PORT: '0',
    },
  });
  const ended = once(child, 'exit');
  const serving = new Promise<void>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      const { event, state } = JSON.parse(line);
      if (event === 'listening') note('worker listens', performance.now() - startedAt);
      if (state === 'serving') {
        note('worker serves', performance.now() - startedAt);
        resolve();
      }
    });
  });
  await acknowledged;
  note('loaded acknowledged', performance.now() - startedAt);
  await serving;
  child.kill();
  const [code] = await ended;
  if (code !== 0) throw new Error(`the worker ended with ${code}`);
}

const autoscaler = new LocalAutoscaler({ port: 0 });
await autoscaler.start();
try {
  for (let run = 1; run <= runs; run++) {
    await bareNode();
    await bareExpress();
    await worker(autoscaler, run);
  }
} finally {
  await autoscaler.stop();
}

const rows = [...samples].map(([what, times]) => {
  const sorted = times.toSorted((a, b) => a - b).map(Math.round);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { what, minMs: at(0), medianMs: at(0.5), maxMs: at(1), goalMs: GOALS_MS[what] };
});
const express = rows.find(({ what }) => what === 'bare express listens')?.medianMs ?? Number.NaN;
const table = rows.map((row) => ({ ...row, timesExpress: Number((row.medianMs / express).toFixed(2)) }));

if (values.json) console.log(JSON.stringify({ node: process.version, runs, rows: table }, null, 2));
else {
  console.log(`${runs} starts each, in turn, on node ${process.version}; in ms`);
  console.log(`${'what'.padEnd(24)}    min median    max   goal  × express`);
  for (const { what, minMs, medianMs, maxMs, goalMs = '', timesExpress } of table) {
    const figures = [minMs, medianMs, maxMs, goalMs].map((figure) => String(figure).padStart(6)).join(' ');
    console.log(`${what.padEnd(24)} ${figures}  ${String(timesExpress).padStart(9)}`);
  }
}
