import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { WorkerExit } from '../../machines/fleet-worker-setup.js';
import type { Launcher } from '../autoscaler/index.js';
import { messageOf } from '../errors.js';
import type { Log } from '../log.js';
import { EXIT } from './exit.js';
import type { Env } from './io.js';
import { endOf, signalGroup, type WorkerChild } from './process-group.js';
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
  /** Ends the model server that a worker has left, if it has: one that was killed could not. */
  readonly endModelOf: (worker: number, ports: WorkerPorts) => Promise<void>;
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

/** So often a worker gets other ports because another program was quicker. */
const MOST_MOVES = 5;

/**
 * Workers as processes on this machine, each with ports of its own: `tsworker start`, as on an instance. Each has a
 * group of its own: a terminal tells all who are in its group that a key was pressed, and what that means for a worker
 * is for this process to say. Whom it has started itself, and left in the group, ends with it.
 */
export class WorkerProcesses implements Launcher {
  readonly #options: WorkerProcessesOptions;
  readonly #ports = new Map<number, WorkerPorts>();
  readonly #running = new Map<number, WorkerChild>();
  /** Those that were asked to end, or killed, since they were last run. */
  readonly #signalled = new Set<number>();

  constructor(options: WorkerProcessesOptions) {
    this.#options = options;
  }

  /** Ports anew each time: those that it had may be another's by now. */
  async place(worker: number): Promise<void> {
    this.release(worker);
    this.#ports.set(worker, await this.#options.takePorts());
  }

  async run(worker: number): Promise<WorkerExit> {
    this.#signalled.delete(worker);
    for (let moves = 0; ; moves += 1) {
      const exit = await this.#runOnce(worker);
      const isMoving =
        exit.code === EXIT.portTaken.code && moves < MOST_MOVES && !this.#signalled.has(worker);
      if (!isMoving) return exit;
      await this.place(worker);
    }
  }

  async #runOnce(worker: number): Promise<WorkerExit> {
    const ports = this.#ports.get(worker);
    if (ports === undefined) throw new Error(`worker ${worker} has no place`);
    const { backend, envOf, log, program = THIS_PROGRAM } = this.#options;
    const [command, ...args] = program;
    const child = spawn(command, [...args, 'start', backend], {
      detached: true,
      env: envOf(worker, ports),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#hold(worker, child);
    const ended = endOf(child);
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
      this.#letGo(worker);
      await this.#endModel(worker, ports);
    }
  }

  async signal(worker: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#signalled.add(worker);
    const child = this.#running.get(worker);
    if (child === undefined) return;
    if (signal === 'SIGKILL') signalGroup(child, signal);
    else child.kill(signal);
  }

  release(worker: number): void {
    const ports = this.#ports.get(worker);
    if (ports === undefined) return;
    this.#ports.delete(worker);
    this.#options.releasePorts(ports);
  }

  #hold(worker: number, child: WorkerChild): void {
    if (this.#running.size === 0) process.on('exit', this.#onExit);
    this.#running.set(worker, child);
  }

  #letGo(worker: number): void {
    this.#running.delete(worker);
    if (this.#running.size === 0) process.off('exit', this.#onExit);
  }

  /**
   * Nobody is left behind, not even when this process is ended at once. A model server can be ended by its worker alone,
   * which is asked therefore: by this signal it ends at once.
   */
  readonly #onExit = () => {
    for (const [worker, child] of this.#running) {
      if (this.#ports.get(worker)?.modelPort === undefined) signalGroup(child, 'SIGKILL');
      else child.kill('SIGQUIT');
    }
  };

  async #endModel(worker: number, ports: WorkerPorts): Promise<void> {
    if (ports.modelPort === undefined) return;
    await this.#options.endModelOf(worker, ports).catch((error) =>
      this.#options.log.warn(`the model server of worker ${worker} may be left: ${messageOf(error)}`, {
        worker,
      }),
    );
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
