import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { WorkerView } from '../../src/view.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A real worker process, as `tsworker start` runs it, killed when the test has ended. */
export interface WorkerProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly log: readonly LogLine[];
  /** The first line that matches, among those written and those to come. */
  logged(matches: (line: LogLine) => boolean): Promise<LogLine>;
  reaches(state: string): Promise<LogLine>;
  status(): Promise<WorkerView>;
  /** Open file descriptors, and resident memory in MiB. */
  resources(): { readonly descriptors: number; readonly residentMib: number };
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export async function workerProcess(
  env: Record<string, string>,
  backend = 'helloautoscaler',
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', 'start', backend], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      CONTAINER_ID: '7',
      MASTER_TOKEN: 'a secret',
      TSWORKER_HOST: '127.0.0.1',
      WORKER_PORT: '0',
      TSWORKER_REPORT_INTERVAL: '300ms',
      TSWORKER_REPORT_MAX_BACKOFF: '500ms',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });

  const log: LogLine[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    log.push(JSON.parse(text) as LogLine);
    for (const look of waiting) look();
  });
  const logged = (matches: (line: LogLine) => boolean) =>
    new Promise<LogLine>((resolve, reject) => {
      const look = () => {
        const line = log.find(matches);
        if (line === undefined) return;
        waiting.delete(look);
        resolve(line);
      };
      waiting.add(look);
      look();
      exited.then(() => reject(new Error('the worker has ended')), reject);
    });

  const { port, internalPort } = await logged(({ event }) => event === 'listening');
  return {
    child,
    url: `http://127.0.0.1:${port}`,
    log,
    logged,
    reaches: (state) => logged((line) => line.event === 'state.entered' && line.state === state),
    status: async () =>
      (await fetch(`http://127.0.0.1:${internalPort}/status`)).json() as Promise<WorkerView>,
    resources: () => ({
      descriptors: readdirSync(`/proc/${child.pid}/fd`).length,
      residentMib:
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    }),
    exited,
  };
}
