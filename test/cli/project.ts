import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { onTestFinished } from 'vitest';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type LogLine = Readonly<Record<string, unknown>>;

/** A project of a user, in a temporary folder, with the compiled package in its node_modules. */
export class Project {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'tsworker-cli-')));
  readonly main = join(this.dir, 'node_modules/tsworker/dist/src/cli/main.js');

  /** Some packages can be left out, to see what works without them. */
  constructor({ without = [] }: { without?: readonly string[] } = {}) {
    const own = join(this.dir, 'node_modules/tsworker');
    compile(join(own, 'dist'));
    cpSync(join(ROOT, 'package.json'), join(own, 'package.json'));
    mkdirSync(join(own, 'node_modules'));
    for (const name of readdirSync(join(ROOT, 'node_modules'))) {
      if (!without.includes(name)) {
        symlinkSync(join(ROOT, 'node_modules', name), join(own, 'node_modules', name));
      }
    }
    symlinkSync(join(ROOT, 'node_modules/zod'), join(this.dir, 'node_modules/zod'));
  }

  /** Writes a file and answers its path. */
  write(name: string, content: string): string {
    const path = join(this.dir, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true });
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const child = this.#spawn(args, env);
    const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await code, stdout, stderr };
  }

  /** Starts a command that keeps running and logs JSON lines. It is killed when the test ends. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    return new Running(this.#spawn(args, env));
  }

  #spawn(args: readonly string[], env: Readonly<Record<string, string>>) {
    return spawn(process.execPath, [this.main, ...args], {
      cwd: this.dir,
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}

/** A command that keeps running. */
export class Running {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  /** Its exit code, once all that could still write its output has ended as well. */
  readonly exited: Promise<number | null>;
  readonly #stderr: Promise<string>;
  readonly #watchers = new Set<() => void>();

  constructor(child: ReturnType<typeof spawn>) {
    this.child = child;
    this.exited = new Promise((resolve) => child.once('close', resolve));
    this.#stderr = child.stderr === null ? Promise.resolve('') : text(child.stderr);
    if (child.stdout !== null) {
      createInterface(child.stdout).on('line', (line) => {
        this.lines.push(line);
        for (const look of this.#watchers) look();
      });
    }
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await this.exited;
    });
  }

  /** The first line of output that matches, written already or to come. */
  prints(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const line = this.lines.find((each) => pattern.test(each));
        if (line === undefined) return;
        this.#watchers.delete(look);
        resolve(line);
      };
      this.#watchers.add(look);
      look();
      void this.exited.then(async (code) => {
        reject(
          new Error(`it ended with ${code} before ${pattern}: ${this.lines.join('\n')}${await this.#stderr}`),
        );
      });
    });
  }

  /** The first line of the log that is about this event. */
  async logs(event: string): Promise<LogLine> {
    return JSON.parse(await this.prints(new RegExp(`"event":"${event}"`))) as LogLine;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<{ code: number | null; stderr: string }> {
    this.child.kill(signal);
    return { code: await this.exited, stderr: await this.#stderr };
  }
}

let compiled: ReadonlyMap<string, string> | undefined;

/** Compiles the sources, once, and one by one without checking their types: that takes a second, not ten. */
function compile(to: string): void {
  compiled ??= compileAll();
  for (const [file, code] of compiled) {
    mkdirSync(dirname(join(to, file)), { recursive: true });
    writeFileSync(join(to, file), code);
  }
  cpSync(join(ROOT, 'src/autoscaler/page'), join(to, 'src/autoscaler/page'), { recursive: true });
}

function compileAll(): Map<string, string> {
  const compilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
  };
  const sources = ['machines', 'backends', 'src'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(folder, file)),
  );
  return new Map(
    sources.map((file) => [
      file.replace(/\.ts$/, '.js'),
      ts.transpileModule(readFileSync(join(ROOT, file), 'utf8'), { compilerOptions }).outputText,
    ]),
  );
}
