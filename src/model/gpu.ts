import { execFile } from 'node:child_process';

export interface GpuOptions {
  readonly signal: AbortSignal;
  /** The program that knows. */
  readonly command?: string;
  readonly timeoutMs?: number;
}

/** The name of the GPU of a machine without one. */
export const NO_GPU = 'none';

const ARGUMENTS = ['--query-gpu=name', '--format=csv,noheader'];

/**
 * The names of the machine's GPUs, such as `NVIDIA A100, NVIDIA A100`, or `none` where the program that knows is
 * not there, fails, or takes more than 5 s. Never rejects.
 */
export function gpuName(options: GpuOptions): Promise<string> {
  const { signal, command = 'nvidia-smi', timeoutMs = 5_000 } = options;
  return new Promise((resolve) => {
    const child = execFile(command, ARGUMENTS, (error, stdout) => end(error ? '' : stdout));
    const end = (output: string) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      resolve(namesIn(output).join(', ') || NO_GPU);
    };
    // A driver that hangs may keep the program from dying, so its end is not waited for.
    const giveUp = () => {
      child.kill('SIGKILL');
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      end('');
    };
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
  });
}

function namesIn(output: string): string[] {
  return output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
