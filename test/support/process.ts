import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { onTestFinished } from 'vitest';
import type { WorkState } from '../../machines/life.js';
import type { WorkerView } from '../../src/view.js';
import { BUILT } from './faults-build.js';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** The program `tsworker`. */
export const MAIN = join(BUILT, 'src/cli/main.js');
const HEAP_ON_SIGNAL = 'heap-on-signal.mjs';

const PATIENCE_MS = 15_000;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What of the system a process holds. */
export interface Resources {
  readonly rssMib: number;
  readonly fds: number;
  readonly sockets: number;
}

/** Everything that is alive, so that not even a test run that is broken off leaves a process behind. */
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** A real program: what it prints, line by line, and how it ends. It does not outlive its test. */
export class Program {
  readonly lines: string[] = [];
  readonly exited: Promise<Exit>;
  readonly startedAtMs = Date.now();
  /** What it has written to its standard error. */
  stderr = '';
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();
  #exit: Exit | undefined;

  constructor(
    command: string,
    args: readonly string[],
    options: { env?: Readonly<Record<string, string>>; cwd?: string } = {},
  ) {
    this.#child = spawn(command, args, {
      cwd: options.cwd ?? ROOT,
      env: { PATH: process.env.PATH ?? '', ...options.env },
      stdio: 'pipe',
    });
    alive.add(this.#child);
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#child.stdin?.on('error', () => {});
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        this.lines.push(line);
        this.#changed();
      });
    }
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => {
        alive.delete(this.#child);
        this.#exit = { code, signal };
        resolve(this.#exit);
        this.#changed();
      });
    });
    onTestFinished(async () => {
      this.kill('SIGKILL');
      await this.exited;
    });
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  get hasExited(): boolean {
    return this.#exit !== undefined;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Writes to its standard input. */
  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /**
   * The first answer that is not undefined, asked at once and after each line that is printed. Rejects, with all
   * that was printed, when the program ends without it, or after a while.
   */
  find<T>(what: string, look: () => T | undefined, patienceMs = PATIENCE_MS): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const give = (why: string) => {
        settle();
        const said = this.lines.slice(-40).join('\n');
        reject(new Error(`${why}: ${what}\n${said}\n${this.stderr}`));
      };
      const timer = setTimeout(() => give(`not within ${patienceMs} ms`), patienceMs);
      const settle = () => {
        clearTimeout(timer);
        this.#listeners.delete(ask);
      };
      const ask = () => {
        const found = look();
        if (found !== undefined) {
          settle();
          resolve(found);
        } else if (this.#exit !== undefined) {
          give(`ended with ${JSON.stringify(this.#exit)} before`);
        }
      };
      this.#listeners.add(ask);
      ask();
    });
  }

  resources(): Resources {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const rssKib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    const fds = readdirSync(`/proc/${this.pid}/fd`);
    const sockets = fds.filter((fd) => linkOf(`/proc/${this.pid}/fd/${fd}`).startsWith('socket:'));
    return { rssMib: Math.round(rssKib / 1024), fds: fds.length, sockets: sockets.length };
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

/** A descriptor may be closed between the listing and the look. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** A JSON line of the worker's log. */
export interface LogLine {
  readonly level: number;
  readonly time: number;
  readonly msg: string;
  readonly event?: string;
  readonly [field: string]: unknown;
}

export interface WorkerSetup {
  /** The name of a backend, or the path of its file from the root of the repository. */
  readonly backend?: string;
  /** Of the command line. */
  readonly options?: readonly string[];
  /** Where it reports to: the value of REPORT_ADDR. */
  readonly reportTo?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Make `heapMib()` work. */
  readonly measureHeap?: boolean;
  /** A program of test/fault/programs that is loaded before the worker. */
  readonly preload?: string;
  /** How many file descriptors it may have. */
  readonly descriptors?: number;
}

/** The secret of every worker under test: it must be found in no log. */
export const TOKEN = 'c0ffee-of-the-tests';

/** A worker process as on an instance, but on free ports of loopback, reporting often and giving up soon. */
export class WorkerProcess {
  readonly program: Program;
  readonly #log: LogLine[] = [];
  #read = 0;

  constructor(setup: WorkerSetup) {
    const { backend = 'helloautoscaler', reportTo = 'http://127.0.0.1:9', env = {}, measureHeap } = setup;
    const { options = [], preload = [] } = setup;
    const measuring = measureHeap
      ? ['--expose-gc', '--max-semi-space-size=2', ...importing(HEAP_ON_SIGNAL)]
      : [];
    const before = [...measuring, ...[preload].flat().flatMap(importing)];
    const command = [process.execPath, ...before, MAIN, 'start', backend, ...options];
    const [program = '', ...args] =
      setup.descriptors === undefined ? command : limited(setup.descriptors, command);
    this.program = new Program(program, args, {
      env: {
        CONTAINER_ID: '7',
        MASTER_TOKEN: TOKEN,
        REPORT_ADDR: reportTo,
        TSWORKER_HOST: '127.0.0.1',
        WORKER_PORT: '0',
        WORKER_HTTP_PORT: '0',
        TSWORKER_REPORT_INTERVAL: '100ms',
        TSWORKER_REPORT_TIMEOUT: '2s',
        TSWORKER_REPORT_MAX_BACKOFF: '50ms',
        ...env,
      },
    });
  }

  get exited(): Promise<Exit> {
    return this.program.exited;
  }

  kill(signal: NodeJS.Signals): void {
    this.program.kill(signal);
  }

  /** The log up to now. */
  get log(): readonly LogLine[] {
    for (; this.#read < this.program.lines.length; this.#read++) {
      this.#log.push(JSON.parse(this.program.lines[this.#read] ?? '') as LogLine);
    }
    return this.#log;
  }

  /** What the log has told of one event. */
  told(event: string): readonly LogLine[] {
    return this.log.filter((line) => line.event === event);
  }

  /** The first line that matches, of those logged and those to come. */
  logged(matches: (line: LogLine) => boolean, patienceMs?: number): Promise<LogLine> {
    return this.program.find(`a line with ${matches}`, () => this.log.find(matches), patienceMs);
  }

  /** The first time that it enters this state, or the first after `since`. */
  reaches(state: WorkState, since?: LogLine): Promise<LogLine> {
    return this.program.find(`the state ${state}`, () =>
      this.log
        .slice(since === undefined ? 0 : this.log.indexOf(since) + 1)
        .find((line) => line.event === 'state.entered' && line.state === state),
    );
  }

  /** The address for clients. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return Number(this.told('listening')[0]?.port);
  }

  /** What it says of itself on its internal port. */
  async status(): Promise<WorkerView> {
    const port = Number(this.told('listening')[0]?.internalPort);
    const { body } = await request(`http://127.0.0.1:${port}/status`, { reset: true });
    return (await body.json()) as WorkerView;
  }

  /** What is left of its heap after a full collection, in MiB. */
  async heapMib(): Promise<number> {
    const before = this.told('heap').length;
    this.kill('SIGUSR2');
    const { heapUsed, external } = await this.program.find(
      'the size of the heap',
      () => this.told('heap')[before],
    );
    return Math.round(((Number(heapUsed) + Number(external)) / 2 ** 20) * 10) / 10;
  }
}

/** The same command in the same process, once that is limited. */
function limited(descriptors: number, command: readonly string[]): string[] {
  return ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', ...command];
}

function importing(program: string): string[] {
  return ['--import', new URL(`../fault/programs/${program}`, import.meta.url).href];
}

/** A worker that listens. It is killed when the test ends, if it still runs. */
export async function startWorker(setup: WorkerSetup): Promise<WorkerProcess> {
  const worker = new WorkerProcess(setup);
  await worker.logged(({ event }) => event === 'listening');
  return worker;
}
