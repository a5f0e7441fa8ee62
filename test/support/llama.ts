import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { request } from 'undici';
import { type Exit, ROOT } from './process.js';

/** The example with a real language model, a package of its own. */
export const LLAMA = join(ROOT, 'examples/llama');

/** Installs the example's packages, unless they are there. It takes a while. */
export function installLlama(): void {
  if (existsSync(join(LLAMA, 'node_modules/node-llama-cpp/package.json'))) return;
  execFileSync('npm', ['ci'], { cwd: LLAMA, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** What the model server tells at /stats. */
export interface LlamaStats {
  readonly generating: number;
  readonly waiting: number;
  readonly completed: number;
  readonly aborted: number;
  readonly tokens: number;
}

const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** The model server of the example, as a process. It may outlive a test: whoever starts it stops it. */
export class LlamaServer {
  readonly lines: string[] = [];
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #hasExited = false;
  stderr = '';

  constructor(env: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, ['--import', 'tsx', 'server.ts'], {
      cwd: LLAMA,
      env: { PATH: process.env.PATH, MODEL_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    alive.add(child);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(line);
      this.#look();
    });
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        alive.delete(child);
        this.#hasExited = true;
        resolve({ code, signal });
        this.#look();
      });
    });
  }

  /** The first line that matches, printed already or to come. Rejects when the server ends without it. */
  prints(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const line = this.lines.find((each) => pattern.test(each));
        if (line === undefined && !this.#hasExited) return;
        this.#watchers.delete(look);
        if (line !== undefined) resolve(line);
        else reject(new Error(`it ended before ${pattern}:\n${this.lines.join('\n')}\n${this.stderr}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  async untilLoaded(): Promise<void> {
    await this.prints(/server is listening on/);
  }

  /** Known as soon as it has printed its first line. */
  get url(): string {
    return /http:\/\/[\d.]+:\d+/.exec(this.lines.join('\n'))?.[0] ?? 'http://not.listening.invalid';
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async stats(): Promise<LlamaStats> {
    const { body } = await request(`${this.url}/stats`);
    return (await body.json()) as LlamaStats;
  }

  /** Asks again and again until the statistics are like this. */
  async untilStats(expected: Partial<LlamaStats>): Promise<LlamaStats> {
    for (;;) {
      const stats = await this.stats();
      const told: Partial<Record<string, unknown>> = { ...stats };
      if (Object.entries(expected).every(([name, value]) => told[name] === value)) return stats;
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.#child.kill(signal);
    return this.exited;
  }

  #look(): void {
    for (const look of [...this.#watchers]) look();
  }
}
