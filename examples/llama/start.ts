import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * Runs the model server, and in front of it a worker and a local autoscaler. What is given on the command
 * line goes to `tsworker dev`. Ends when any of it ends.
 */
const here = fileURLToPath(new URL('.', import.meta.url));

/** What the model server writes, for the worker to read. */
const logFolder = mkdtempSync(join(tmpdir(), 'tsworker-llama-'));
const settings = { MODEL_LOG: join(logFolder, 'model.log'), TSWORKER_PRESET: 'llamacpp' };

/** A program of its own: Ctrl-C reaches this process alone, which stops the others in order. */
function run(args: readonly string[], stdout: 'pipe' | 'inherit'): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: here,
    env: { ...settings, ...process.env },
    stdio: ['ignore', stdout, 'inherit'],
    detached: true,
  });
}

/** Where the model server listens, once it says so; undefined when it ended before. */
function listening(model: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (model.stdout === null) throw new Error('the output of the model server is not read');
    const lines = createInterface({ input: model.stdout });
    lines.on('line', (line) => {
      // A line for each request is more than anybody wants to read here.
      if (!line.startsWith('slot: ')) process.stdout.write(`model: ${line}\n`);
      const [, url] = /server is listening on (\S+)/.exec(line) ?? [];
      if (url !== undefined) resolve(url);
    });
    lines.once('close', () => resolve(undefined));
  });
}

/** The exit code, as a shell would tell it of what a signal ended. */
async function codeOf(child: ChildProcess): Promise<number> {
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
  return typeof code === 'number' ? code : 1;
}

const children: ChildProcess[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // The last one started depends on the others: it is told, and its end ends them.
  process.on(signal, () => children.at(-1)?.kill(signal));
}
// Nothing is left behind, whatever goes wrong here.
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(logFolder, { recursive: true });
});

const model = run(['server.ts'], 'pipe');
children.push(model);
const modelEnded = codeOf(model);
const url = await listening(model);
if (url === undefined) {
  process.exitCode = await modelEnded;
} else {
  const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const worker = run([cli, 'dev', 'openai', '--model-server', url, ...process.argv.slice(2)], 'inherit');
  children.push(worker);
  const workerEnded = codeOf(worker);
  const first = await Promise.race([
    workerEnded.then((code) => ({ who: 'worker', code })),
    modelEnded.then((code) => ({ who: 'model', code: code || 1 })),
  ]);
  if (first.who === 'model') process.stderr.write('The model server has ended.\n');
  worker.kill('SIGTERM');
  await workerEnded;
  model.kill('SIGTERM');
  await modelEnded;
  process.exitCode = first.code;
}
