import { runCli } from '../../src/cli/program.js';

/** Runs a command line in this process, and resolves with its exit code and what it wrote. */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onStderr = (_text: string) => {},
) {
  const written = { stdout: '', stderr: '' };
  const output = (name: 'stdout' | 'stderr') => ({
    write: (text: string, onWritten?: (error?: Error | null) => void) => {
      written[name] += text;
      if (name === 'stderr') onStderr(text);
      onWritten?.();
    },
  });
  const code = await runCli(args, { env, stdout: output('stdout'), stderr: output('stderr') });
  return { code, ...written };
}
