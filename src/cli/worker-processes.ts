import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { WorkerExit } from '../../machines/fleet-worker-setup.js';
import type { Launcher } from '../autoscaler/index.js';
import type { Log } from '../log.js';
import type { Env } from './io.js';
import { relayLine } from './relay-line.js';

/** What a worker listens on. */
export interface WorkerPorts {
  readonly port: number;
  readonly internalPort: number;
  /** For a model server that it runs itself; undefined: it runs none. */
  readonly modelPort: number | undefined;
}

export interface WorkerProcessesOptions {
  /** The name of a backend, or the path of its file. */
  readonly backend: string;
  readonly takePorts: () => Promise<WorkerPorts>;
  readonly releasePorts: (ports: WorkerPorts) => void;
  /** The environment of a worker in its place. */
  readonly envOf: (worker: number, ports: WorkerPorts) => Env;
  readonly log: Log;
  /** The program `tsworker` and what comes before its command. Default: as this process is run. */
  readonly program?: readonly [string, ...string[]];
}

/** The program that runs this, as it is run: from the sources, or built. */
const MAIN = fileURLToPath(
  new URL(`./main.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
);
const THIS_PROGRAM = [process.execPath, ...process.execArgv, MAIN] as const;

/** So much of the last line of a worker stands in the reason of its failure. */
const MAX_SAID = 300;

/** Workers as processes on this machine, each with ports of its own: `tsworker start`, as on an instance. */
export class WorkerProcesses implements Launcher {
  readonly #options: WorkerProcessesOptions;
  readonly #ports = new Map<number, WorkerPorts>();
  readonly #running = new Map<number, ChildProcess>();

  constructor(options: WorkerProcessesOptions) {
    this.#options = options;
    // Nobody is left behind, not even when this process is ended at once. A model server can be ended by its worker
    // alone, which is asked therefore: the second time that it is it ends at once.
    process.once('exit', () => {
      for (const [worker, child] of this.#running) {
        child.kill(this.#ports.get(worker)?.modelPort === undefined ? 'SIGKILL' : 'SIGTERM');
      }
    });
  }

  /** Ports anew each time: those that it had may be another's by now. */
  async place(worker: number): Promise<void> {
    this.release(worker);
    this.#ports.set(worker, await this.#options.takePorts());
  }

  async run(worker: number): Promise<WorkerExit> {
    const ports = this.#ports.get(worker);
    if (ports === undefined) throw new Error(`worker ${worker} has no place`);
    const { backend, envOf, log, program = THIS_PROGRAM } = this.#options;
    const [command, ...args] = program;
    const child = spawn(command, [...args, 'start', backend], {
      env: envOf(worker, ports),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#running.set(worker, child);
    const ended = exitOf(child);
    let said: string | undefined;
    this.#relay(worker, child.stdout, (line) => relayLine(line, worker, log));
    this.#relay(worker, child.stderr, (line) => {
      // What comes after the error is where it happened.
      if (said === undefined || /error/i.test(line)) said = line.replace(/^error: /, '').slice(0, MAX_SAID);
      log.warn(`worker ${worker}: ${line}`, { worker });
    });
    try {
      return { ...(await ended), said };
    } finally {
      this.#running.delete(worker);
    }
  }

  async signal(worker: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#running.get(worker)?.kill(signal);
  }

  release(worker: number): void {
    const ports = this.#ports.get(worker);
    if (ports === undefined) return;
    this.#ports.delete(worker);
    this.#options.releasePorts(ports);
  }

  #relay(worker: number, output: Readable, tell: (line: string) => void): void {
    const { log } = this.#options;
    const lines = createInterface({ input: output, crlfDelay: Number.POSITIVE_INFINITY });
    lines.on('line', (line) => {
      if (line.trim() !== '') tell(line);
    });
    lines.on('error', (error) => log.warn(`the output of worker ${worker} is lost: ${error.message}`));
  }
}

/** Resolves when the process has ended and its output is read. */
function exitOf(child: ChildProcess): Promise<WorkerExit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}
