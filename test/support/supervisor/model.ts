import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { onTestFinished } from 'vitest';
import { freePorts } from '../free-ports.js';
import { lives, readLog } from './supervised.js';

export const MODEL = fileURLToPath(new URL('model.mjs', import.meta.url));

/** A model server that a worker is to run: how, and what is seen of it. It does not outlive its test. */
export async function modelToRun(logFile: string) {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const lines = () => (existsSync(logFile) ? readLog(logFile) : []);
  const pids = () =>
    lines()
      .filter((line) => line.startsWith('pid '))
      .map((line) => Number(line.slice('pid '.length)));
  onTestFinished(async () => {
    for (const pid of pids()) if (await lives(pid)) process.kill(pid, 'SIGKILL');
  });
  return {
    port,
    url,
    command: [process.execPath, MODEL, String(port)],
    lines,
    /** Those that were started, in their order. */
    pids,
    /** Tells it what to do. One that dies of it answers nothing. */
    tell: async (what: 'die' | 'hang' | 'hold' | 'release') => {
      const answer = request(`${url}/${what}`, { reset: true }).then(({ body }) => body.dump());
      await (what === 'die' ? answer.catch(() => {}) : answer);
    },
  };
}
