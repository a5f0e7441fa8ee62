import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from './environment.js';
import { Family } from './family.js';
import { type ReadLinesOptions, readLines } from './output.js';
import { findProcess } from './process-table.js';

/** A text is given to a shell; the words of a list are a program and its arguments. */
export type Command = string | readonly string[];

export interface LaunchOptions extends ReadLinesOptions {
  readonly command: Command;
  readonly env: Environment;
  /** Awaited before the command is run. */
  readonly onLeader: (family: Family) => Promise<void>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * Waits for a line before it becomes the command. When this process dies before it was written down what to look
 * for, the wait ends without a line, and so does the shell.
 */
const GATE = 'read -r line && exec "$@" </dev/null';

/** What was said last has arrived when nothing more comes for so long: others may hold the pipe open for ever. */
const LAST_WORDS_MS = 250;

/** They may also talk for ever. */
const LAST_WORDS_WITHIN_MS = 5_000;

/** A model server that was started here, in a session and a group of its own. */
export class ModelProcess {
  readonly family: Family;
  /** Resolves when its first process has ended, and what it said has been heard. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #heard: Promise<unknown>;
  #lines = 0;

  /** @throws when it could not be started; then nothing is left of it */
  static async launch(options: LaunchOptions): Promise<ModelProcess> {
    const child = spawn('/bin/sh', ['-c', GATE, 'tsworker', ...argumentsOf(options.command)], {
      detached: true,
      env: options.env,
      stdio: 'pipe',
    });
    const exited = once(child, 'exit');
    exited.catch(() => {});
    // There may not even be pipes to it where it could not be started.
    if (child.pid === undefined) await exited;
    child.stdin.on('error', () => {});
    try {
      const leader = await findProcess(child.pid ?? 0);
      if (leader === null) throw new Error('the processes of this system can not be seen in /proc');
      const { pid, startTicks } = leader;
      const started = new ModelProcess(child, new Family({ pid, startTicks }), exited, options);
      await options.onLeader(started.family);
      child.stdin.write('go\n');
      return started;
    } finally {
      child.stdin.end();
    }
  }

  private constructor(
    child: ChildProcessByStdio<Writable, Readable, Readable>,
    family: Family,
    exited: Promise<unknown[]>,
    options: ReadLinesOptions,
  ) {
    this.#child = child;
    this.family = family;
    const onLine = (line: string) => {
      this.#lines += 1;
      options.onLine(line);
    };
    const hear = (stream: Readable) => readLines(stream, { ...options, onLine });
    this.#heard = Promise.all([child.stdout, child.stderr].map(hear));
    this.ended = this.#untilEnded(exited);
  }

  /** Listens no more, once what was said has been heard. */
  async release(): Promise<void> {
    await this.#untilHeard();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
    await this.#heard;
  }

  async #untilEnded(exited: Promise<unknown[]>): Promise<Ended> {
    await exited;
    await this.#untilHeard();
    return { code: this.#child.exitCode, signal: this.#child.signalCode };
  }

  async #untilHeard(): Promise<void> {
    const untilMs = performance.now() + LAST_WORDS_WITHIN_MS;
    let before: number;
    do {
      before = this.#lines;
      const enough = new AbortController();
      await Promise.race([this.#heard, delay(LAST_WORDS_MS, undefined, enough).catch(() => {})]);
      enough.abort();
    } while (this.#lines > before && performance.now() < untilMs);
  }
}

function argumentsOf(command: Command): readonly string[] {
  return typeof command === 'string' ? ['/bin/sh', '-c', command] : command;
}
