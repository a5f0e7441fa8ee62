import { fromPromise } from 'xstate';
import type { Exit } from '../../machines/endings.js';
import type { Found, SignalInput } from '../../machines/supervision.js';
import { supervisorMachine } from '../../machines/supervisor.js';
import type { Log } from '../log.js';
import type { Redact } from '../redact.js';
import { type Environment, modelEnvironment } from './environment.js';
import type { Family } from './family.js';
import { LastLines } from './last-lines.js';
import { LogFile } from './log-file.js';
import { killedForMemory } from './memory-events.js';
import { type Command, ModelProcess } from './process.js';
import { RunFile } from './run-file.js';

export interface SupervisionOptions {
  readonly command: Command;
  /** The worker's own. The model gets it without the worker's secrets. */
  readonly env: Environment;
  readonly redact: Redact;
  /** Where it is kept what runs: see `runFilePath`. */
  readonly runFile: string;
  /** Null: what the model says is written to no file. */
  readonly logFile: { readonly path: string; readonly maxBytes: number; readonly keep: number } | null;
  /** Hears each line that the model says, on either stream. Must not throw. */
  readonly onLine: (line: string) => void;
  readonly log: Log;
  /** Monotonic, in ms. */
  readonly now: () => number;
  /** Where the kernel counts what it kills for want of memory; if left out, in the cgroup of this process. */
  readonly memoryEvents?: string;
  /** How often it is written down which processes there are. 5000 if left out. */
  readonly noteEveryMs?: number;
}

/** What is told of a model's end. */
const LAST_LINES = { lines: 20, characters: 2_000 };

/** The effects behind the supervisor: the processes of the model server that this worker runs, and what they say. */
export class Supervision {
  readonly #options: SupervisionOptions;
  readonly #runFile: RunFile;
  readonly #logFile: LogFile | null;
  readonly #lastLines: LastLines;
  #launching: Promise<ModelProcess> | null = null;
  #held: Family | null = null;
  #timer: NodeJS.Timeout | undefined;
  #longLineTold = false;

  constructor(options: SupervisionOptions) {
    const { log, logFile, now } = options;
    const tell = (problem: string) => log.warn(problem, { event: 'supervisor.problem', problem });
    this.#options = options;
    this.#runFile = new RunFile(options.runFile, tell);
    this.#logFile = logFile && new LogFile({ ...logFile, now, onProblem: tell });
    this.#lastLines = new LastLines({ ...LAST_LINES, redact: options.redact });
  }

  /** The machine with its effects. */
  machine() {
    return supervisorMachine.provide({
      actors: {
        find: fromPromise<Found, undefined>(() => this.#find()),
        run: fromPromise<Exit, undefined>(() => this.#run()),
        signal: fromPromise<void, SignalInput>(({ input }) => this.#signal(input)),
        gone: fromPromise<void, undefined>(({ signal }) => this.#gone(signal)),
      },
    });
  }

  /** What the model said last, without secrets. */
  get lastLines(): readonly string[] {
    return this.#lastLines.get();
  }

  /** Kills what still runs, and writes what waits for the log. To be called when the machine has stopped. */
  async close(): Promise<void> {
    const launched = await this.#launching?.catch(() => null);
    const held = this.#held;
    // Where it can not be looked who is left, as without a file descriptor, those are killed who are known.
    await held?.signal('SIGKILL').catch(() => held.killNow());
    this.#letGo();
    await launched?.release();
    await this.#logFile?.close();
  }

  async #find(): Promise<Found> {
    const orphan = await this.#runFile.findOrphan();
    if (orphan === null) return { orphan: null };
    this.#hold(orphan);
    const pids = (await orphan.members()).map(({ pid }) => pid);
    return { orphan: `${pids.length === 1 ? 'process' : 'processes'} ${pids.join(', ')}` };
  }

  async #run(): Promise<Exit> {
    this.#lastLines.clear();
    const killedBefore = this.#killedForMemory();
    this.#launching = this.#launch(killedBefore);
    const { ended, family } = await this.#launching;
    const { code, signal } = await ended;
    // Whom the first process has left behind is looked for by those who are written down.
    await this.#note(family);
    const outOfMemory = (await this.#killedForMemory()) > (await killedBefore);
    return { code, signal, outOfMemory, lastLines: this.lastLines };
  }

  #launch(ready: Promise<unknown>): Promise<ModelProcess> {
    return ModelProcess.launch({
      command: this.#options.command,
      env: modelEnvironment(this.#options.env),
      onLeader: async (family) => {
        this.#hold(family);
        await Promise.all([this.#note(family), ready]);
      },
      onLine: (line) => this.#hear(line),
      onLongLine: () => this.#tellOfLength(),
    });
  }

  #killedForMemory(): Promise<number> {
    return killedForMemory(this.#options.memoryEvents);
  }

  async #signal({ signal }: SignalInput): Promise<void> {
    await this.#launching?.catch(() => {});
    await this.#held?.signal(signal);
  }

  async #gone(signal: AbortSignal): Promise<void> {
    // One that is being started when it is no longer wanted has to be there before it can be ended.
    const launched = await this.#launching?.catch(() => null);
    await this.#held?.gone(signal);
    await launched?.release();
    this.#launching = null;
    this.#letGo();
    await this.#runFile.clear();
  }

  #hold(family: Family): void {
    this.#letGo();
    this.#held = family;
    this.#timer = setInterval(() => void this.#note(family), this.#options.noteEveryMs ?? 5_000).unref();
    process.once('exit', this.#onExit);
  }

  #letGo(): void {
    clearInterval(this.#timer);
    process.off('exit', this.#onExit);
    this.#held = null;
  }

  readonly #onExit = () => this.#held?.killNow();

  async #note(family: Family): Promise<void> {
    const members = await family.members().catch(() => []);
    if (this.#held === family) await this.#runFile.note(family.leader, members);
  }

  #hear(line: string): void {
    this.#lastLines.add(line);
    this.#logFile?.write(line);
    this.#options.onLine(line);
  }

  #tellOfLength(): void {
    if (this.#longLineTold) return;
    this.#longLineTold = true;
    this.#options.log.warn('the model says lines of more than 64 KiB; what they have beyond is dropped', {
      event: 'supervisor.longLine',
    });
  }
}
