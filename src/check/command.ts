import { execFile } from 'node:child_process';
import type { CompiledModel } from '../backend/index.js';
import { type Environment, modelEnvironment } from '../supervisor/environment.js';
import { type Found, fatal, ok } from './finding.js';

type Command = NonNullable<CompiledModel['command']>;

/** Whether the program is there that the worker starts the model server with. */
export async function judgeCommand(command: Command, env: Environment, signal: AbortSignal): Promise<Found> {
  const program = programOf(command);
  if (program === null) return ok('what the model server is started with is for the shell to find');
  if (await isThere(program, env, signal))
    return ok(`${program}, with which the model server is started, is there`);
  const { PATH = '' } = env;
  return fatal(
    `${program}, with which the model server is started, is not there or can not be run`,
    program.includes('/')
      ? 'install it there and let this user run it ("chmod a+x"), or correct the command (TSWORKER_MODEL_COMMAND, or that of the backend)'
      : `install it, or let the command (TSWORKER_MODEL_COMMAND, or that of the backend) name it by its path; it was looked for in ${PATH}`,
  );
}

/** Settings of its own, and a word without anything that the shell would replace. */
const PLAIN = /^\s*(?:\w+=[\w./:,+@%-]*\s+)*(?:exec\s+)?([\w./+@-]+)(?=[\s;&|]|$)/;

/** The program that a command begins with; null: a shell must say which that is. */
export function programOf(command: Command): string | null {
  if (typeof command !== 'string') return command[0] ?? null;
  return PLAIN.exec(command)?.[1] ?? null;
}

/** A shell knows words of its own, such as `cd`, and takes the name of a file for a program though none may run it. */
const LOOK =
  'found=$(command -v -- "$1") || exit 1; case $found in */*) test -f "$found" && test -x "$found" ;; esac';

function isThere(program: string, env: Environment, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { env: modelEnvironment(env), signal };
    execFile('/bin/sh', ['-c', LOOK, 'sh', program], options, (error) => resolve(error === null));
  });
}
