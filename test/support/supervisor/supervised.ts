import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type AnyEventObject, createActor, createMachine } from 'xstate';
import type { SupervisorInput } from '../../../machines/supervision.js';
import { redactor } from '../../../src/redact.js';
import { findProcess, livingIn } from '../../../src/supervisor/process-table.js';
import { Supervision, type SupervisionOptions } from '../../../src/supervisor/supervision.js';
import { RecordingLog } from '../../../src/testing/recording-log.js';

export const SUPERVISOR_INPUT: SupervisorInput = {
  backOff: { baseMs: 10, capMs: 20 },
  seed: 1,
  stableAfterMs: 60_000,
  maxCrashes: 3,
  graceMs: 5_000,
  killedWithinMs: 5_000,
};

const PATIENCE_MS = 15_000;

/** A folder of the test's own. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tsworker-supervisor-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface SupervisedOptions extends Partial<Omit<SupervisionOptions, 'command' | 'log' | 'onLine'>> {
  readonly input?: Partial<SupervisorInput>;
  /** Hears each line, besides the test. */
  readonly onLine?: (line: string) => void;
  /** Do not remember the lines. */
  readonly forgetful?: boolean;
}

/** A model server under a real supervisor, and the ears of the machine that invoked it. */
export function supervise(command: SupervisionOptions['command'], given: SupervisedOptions = {}) {
  const { input, forgetful = false, onLine, ...options } = given;
  const log = new RecordingLog();
  const [lines, told, emitted]: [string[], AnyEventObject[], AnyEventObject[]] = [[], [], []];
  const watchers = new Set<() => void>();
  const changed = () => {
    for (const watcher of watchers) watcher();
  };
  const note =
    <T>(list: T[]) =>
    (what: T) => {
      list.push(what);
      changed();
    };
  const supervision = new Supervision({
    command,
    env: process.env,
    redact: redactor(options.env ?? process.env),
    runFile: join(folder(), 'model.json'),
    logFile: null,
    log,
    now: () => performance.now(),
    ...options,
    onLine: (line) => {
      onLine?.(line);
      if (!forgetful) note(lines)(line);
    },
  });
  const parent = createMachine({
    invoke: { id: 'supervisor', src: supervision.machine(), input: { ...SUPERVISOR_INPUT, ...input } },
    on: { '*': { actions: ({ event }) => note(told)(event) } },
  });
  const root = createActor(parent);
  const { supervisor } = root.getSnapshot().children;
  if (supervisor === undefined) throw new Error('The supervisor does not run.');
  supervisor.on('*', note(emitted));
  supervisor.subscribe(changed);
  root.start();

  /** The first answer that is not undefined, asked at once and after everything that happens. */
  const find = <T>(what: string, look: () => T | undefined) =>
    new Promise<T>((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        watchers.delete(ask);
        act();
      };
      const timer = setTimeout(() => {
        const seen = JSON.stringify({ told, emitted, lines: lines.slice(-20), log: log.lines }, null, 1);
        settle(() => reject(new Error(`not within ${PATIENCE_MS} ms: ${what}\n${seen}`)));
      }, PATIENCE_MS);
      const ask = () => {
        const found = look();
        if (found !== undefined) settle(() => resolve(found));
      };
      watchers.add(ask);
      ask();
    });
  const stop = async () => {
    supervisor.send({ type: 'stop' });
    await find('it has stopped', () => (supervisor.getSnapshot().status === 'done' ? true : undefined));
    await supervision.close();
  };
  onTestFinished(async () => {
    root.stop();
    await supervision.close();
  });
  return {
    supervision,
    log,
    lines,
    told,
    emitted,
    find,
    stop,
    root,
    restart: (reason: string) => supervisor.send({ type: 'restart', reason }),
    reaches: (state: string) =>
      find(`the state ${state}`, () => (supervisor.getSnapshot().value === state ? true : undefined)),
    /** The first line that begins so, of those after the first `from`: what follows its beginning. */
    says: (beginning: string, from = 0) =>
      find(`a line that begins with ${beginning}`, () =>
        lines
          .slice(from)
          .find((line) => line.startsWith(beginning))
          ?.slice(beginning.length),
      ),
    emits: (type: string) => find(`the event ${type}`, () => emitted.find((event) => event.type === type)),
  };
}

/** Whether a process is there and not dead. */
export async function lives(pid: number): Promise<boolean> {
  const facts = await findProcess(pid);
  return facts !== null && !facts.isDead;
}

/** The numbers of those who live in a session. */
export async function pidsIn(session: number): Promise<readonly number[]> {
  return (await livingIn(session)).map(({ pid }) => pid);
}

export function readLog(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

/** The files in which it is written down which processes run. */
export function runFiles(stateDirectory: string): string[] {
  const files = existsSync(stateDirectory) ? readdirSync(stateDirectory) : [];
  return files.filter((name) => name.startsWith('model-'));
}
