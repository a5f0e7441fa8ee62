import { messageOf } from '../errors.js';
import { EXIT, UserError } from './exit.js';

export type Env = Readonly<Record<string, string | undefined>>;

/** What a command has of the world around it. The program's own process is one. */
export interface Io {
  readonly env: Env;
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, onWritten?: (error?: Error | null) => void): unknown;
}

/** Prints what a command answers. A reader that has seen enough, as in `tsworker graph | head -1`, is no error. */
export function print(text: string, { stdout }: Io): Promise<void> {
  return new Promise((resolve, reject) => {
    stdout.write(text, (error?: NodeJS.ErrnoException | null) => {
      if (!error || error.code === 'EPIPE') resolve();
      else reject(new UserError(`can not write the answer: ${messageOf(error)}`, EXIT.failed.code));
    });
  });
}

/** Whether its answers may be coloured. */
export function hasColors({ env, stdout }: Io): boolean {
  return stdout.isTTY === true && !env.NO_COLOR;
}
