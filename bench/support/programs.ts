import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { env } from 'node:process';
import { createInterface } from 'node:readline';
import { BUILT } from './build.js';

/** A program that listens. */
export interface Listening {
  readonly port: number;
  readonly pid: number;
  /** Of a worker. */
  readonly internalPort?: number;
}

/** The programs of a benchmark: what is started here, ends here. */
export class Programs {
  readonly #children: ChildProcess[] = [];

  /** Starts a compiled program, and resolves when it listens. */
  async start(args: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<Listening> {
    const child = spawn(process.execPath, args, {
      cwd: BUILT,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: env.PATH, HOME: env.HOME, NODE_ENV: 'production', ...extra },
    });
    this.add(child);
    return { pid: child.pid ?? 0, ...(await portsOf(child, args.join(' '))) };
  }

  /** One that was started elsewhere. */
  add(child: ChildProcess): void {
    this.#children.push(child);
  }

  async end(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.kill();
        await ended;
      }),
    );
  }
}

/** Each program says its port in its first line that has one, as JSON; what it prints later is not looked at. */
function portsOf(child: ChildProcess, name: string): Promise<Omit<Listening, 'pid'>> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error('the output of a program is not read');
    createInterface(child.stdout).on('line', (line) => {
      const { port, internalPort }: { port?: number; internalPort?: number } = JSON.parse(line);
      if (port !== undefined) resolve({ port, ...(internalPort !== undefined && { internalPort }) });
    });
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
}
