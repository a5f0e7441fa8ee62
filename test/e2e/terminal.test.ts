import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { postJson } from '../support/client.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CTRL_C = '\x03';

/** `npm start` in a terminal of its own, made by util-linux's script. */
function npmStart(): {
  child: ChildProcess;
  shows: (pattern: RegExp) => Promise<RegExpExecArray>;
  exited: Promise<number | null>;
} {
  const child = spawn('script', ['-qec', 'npm start', '/dev/null'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let output = '';
  const waiting = new Set<() => void>();
  child.stdout?.on('data', (chunk: Buffer) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours of a terminal
    output += chunk.toString().replaceAll(/\x1b\[\d+m/g, '');
    for (const look of waiting) look();
  });
  const shows = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(output);
        if (match === null) return;
        waiting.delete(look);
        resolve(match);
      };
      waiting.add(look);
      look();
      void exited.then(() => reject(new Error(`it ended without showing ${pattern}:\n${output}`)));
    });
  return { child, shows, exited };
}

describe('npm start in a terminal', () => {
  it('shows where everything is, serves, and stops cleanly on one Ctrl-C', async () => {
    const { child, shows, exited } = npmStart();
    const [, worker] = await shows(/worker\s+(http:\S+)/);
    const [, autoscaler] = await shows(/autoscaler\s+(http:\S+)/);
    await shows(/serving: /);
    expect(await (await postJson(`${worker}/increment`, { amount: 2 })).text()).toBe('Incremented');
    expect(await (await fetch(`${worker}/value`)).json()).toEqual({ value: 2 });
    const { workers } = (await (await fetch(`${autoscaler}api/workers`)).json()) as {
      workers: { state: string }[];
    };
    expect(workers.map(({ state }) => state)).toEqual(['serving']);
    child.stdin?.write(CTRL_C);
    await shows(/report update delivered: .*num_requests_recieved 2/);
    await shows(/stopped: everything is finished and reported/);
    expect(await exited).toBe(0);
  });
});
