import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type WorkerPorts,
  WorkerProcesses,
  type WorkerProcessesOptions,
} from '../../src/cli/worker-processes.js';
import { RecordingLog } from '../../src/testing/recording-log.js';
import { lives } from '../support/supervisor/supervised.js';

const PORTS: WorkerPorts = { port: 4_000, internalPort: 4_001, modelPort: undefined };

/** Processes that run a text in the place of the program, whose ports are counted and whose log is kept. */
async function start(text: string, given: Partial<WorkerProcessesOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'tsworker-processes-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'program.mjs');
  await writeFile(file, text);
  const log = new RecordingLog();
  const [taken, released]: [WorkerPorts[], WorkerPorts[]] = [[], []];
  const processes = new WorkerProcesses({
    backend: './my-backend.ts',
    takePorts: async () => {
      const ports = { ...PORTS, port: PORTS.port + 10 * taken.length };
      taken.push(ports);
      return ports;
    },
    releasePorts: (ports) => void released.push(ports),
    envOf: (worker, { port }) => ({ CONTAINER_ID: String(worker), WORKER_PORT: String(port) }),
    endModelOf: async () => {},
    log,
    program: [process.execPath, file],
    ...given,
  });
  /** The first line of the log that has this in it, as soon as it is there. */
  const logged = (part: string) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!log.text.includes(part)) return void setImmediate(look);
        resolve();
      };
      look();
    });
  return { processes, log, taken, released, logged };
}

const told = ({ lines }: RecordingLog) => lines.map(({ level, message }) => [level, message]);

describe('a worker as a process', () => {
  it('is the command that starts the backend, in an environment of its own', async () => {
    const { processes, log } = await start(
      'const { CONTAINER_ID, WORKER_PORT, HOME } = process.env; console.log(JSON.stringify([process.argv.slice(2), CONTAINER_ID, WORKER_PORT, HOME]));',
    );
    await processes.place(7);
    expect(await processes.run(7)).toEqual({ code: 0, signal: null });
    expect(told(log)).toEqual([['info', 'worker 7: [["start","./my-backend.ts"],"7","4000",null]']]);
  });

  it('is heard to its last line, whether that ends or not, on both of its outputs', async () => {
    const { processes, log } = await start(
      `process.stdout.write('{"level":40,"msg":"it is warm"}\\n\\n  \\nplain\\r\\nthe last');
       process.stderr.write('Error: no model\\n    at load');
       process.exitCode = 3;`,
    );
    await processes.place(1);
    expect(await processes.run(1)).toEqual({ code: 3, signal: null, said: 'Error: no model' });
    expect(told(log).toSorted()).toEqual(
      [
        ['warn', 'worker 1: it is warm'],
        ['info', 'worker 1: plain'],
        ['info', 'worker 1: the last'],
        ['warn', 'worker 1: Error: no model'],
        ['warn', 'worker 1:     at load'],
      ].toSorted(),
    );
    expect(log.lines.map(({ fields }) => fields.worker)).toEqual([1, 1, 1, 1, 1]);
  });

  it('gets the signals that are sent to it, and to no other', async () => {
    const { processes, logged } = await start(
      `process.once('SIGTERM', () => process.exit(0));
       setInterval(() => {}, 1e6);
       console.log(process.env.CONTAINER_ID + ' is there');`,
    );
    await Promise.all([processes.place(1), processes.place(2)]);
    const ends = [processes.run(1), processes.run(2)];
    await Promise.all([logged('1 is there'), logged('2 is there')]);
    await processes.signal(2, 'SIGTERM');
    expect(await ends[1]).toEqual({ code: 0, signal: null });
    await processes.signal(1, 'SIGKILL');
    expect(await ends[0]).toEqual({ code: null, signal: 'SIGKILL' });
    // Nobody is there any more.
    await processes.signal(1, 'SIGTERM');
  });

  it('has ports anew each time, and gives back those that it had', async () => {
    const { processes, taken, released } = await start('');
    await processes.place(1);
    await processes.place(1);
    expect([taken.length, released]).toEqual([2, taken.slice(0, 1)]);
    processes.release(1);
    processes.release(1);
    processes.release(2);
    expect(released).toEqual(taken);
  });

  it('is told nothing by the terminal of who has started it: it has a group of its own', async () => {
    const { processes, log } = await start(
      `import { readFileSync } from 'node:fs';
       const [, , group] = readFileSync('/proc/self/stat', 'utf8').replace(/.*[)] /, '').split(' ');
       console.log(group === String(process.pid));`,
    );
    await processes.place(1);
    await processes.run(1);
    expect(told(log)).toEqual([['info', 'worker 1: true']]);
  });

  it('has ended when its process has, and whom it has left does not go on', async () => {
    const { processes, log } = await start(
      `import { spawn } from 'node:child_process';
       const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'inherit' });
       console.log(left.pid);
       left.unref();`,
    );
    await processes.place(1);
    expect(await processes.run(1)).toEqual({ code: 0, signal: null });
    const [pid] = log.lines.map(({ message }) => message.replace('worker 1: ', ''));
    await expect.poll(() => lives(Number(pid))).toBe(false);
  });

  it('gets other ports when another program was quicker, unless it was asked to end', async () => {
    const { processes, log, taken, released } = await start(
      'console.log(process.env.WORKER_PORT); process.exitCode = process.env.WORKER_PORT === "4020" ? 0 : 69;',
    );
    await processes.place(1);
    expect(await processes.run(1)).toEqual({ code: 0, signal: null });
    expect(log.lines.map(({ message }) => message)).toEqual(
      ['4000', '4010', '4020'].map((port) => `worker 1: ${port}`),
    );
    expect([taken.length, released]).toEqual([3, taken.slice(0, 2)]);
    await processes.place(2);
    const end = processes.run(2);
    await processes.signal(2, 'SIGKILL');
    expect(await end).toEqual({ code: null, signal: 'SIGKILL' });
    expect(taken).toHaveLength(4);
  });

  it('that finds each port taken has failed', async () => {
    const { processes, taken } = await start('process.exitCode = 69;');
    await processes.place(1);
    expect(await processes.run(1)).toEqual({ code: 69, signal: null });
    expect(taken).toHaveLength(6);
  });

  it('that runs a model server leaves none, and what keeps that from ending is told', async () => {
    const takePorts = async () => ({ ...PORTS, modelPort: 5_000 });
    const ended: number[] = [];
    const endModelOf = async (worker: number, { modelPort }: WorkerPorts) => {
      ended.push(worker, modelPort ?? 0);
      throw new Error('it does not end');
    };
    const { processes, log } = await start('', { takePorts, endModelOf });
    await processes.place(1);
    expect(await processes.run(1)).toEqual({ code: 0, signal: null });
    expect(ended).toEqual([1, 5_000]);
    expect(told(log)).toEqual([['warn', 'the model server of worker 1 may be left: it does not end']]);
  });

  it('is not run without a place', async () => {
    const { processes } = await start('');
    await expect(processes.run(1)).rejects.toThrow('worker 1 has no place');
    await processes.place(1);
    processes.release(1);
    await expect(processes.run(1)).rejects.toThrow('worker 1 has no place');
  });

  it('that can not be started says why', async () => {
    const { processes } = await start('', { program: ['/nowhere/node'] });
    await processes.place(1);
    await expect(processes.run(1)).rejects.toThrow('spawn /nowhere/node ENOENT');
  });

  it('that has no ports to take is not placed', async () => {
    const takePorts = () => Promise.reject(new Error('no port is free'));
    const { processes, released } = await start('', { takePorts });
    await expect(processes.place(1)).rejects.toThrow('no port is free');
    await expect(processes.run(1)).rejects.toThrow('worker 1 has no place');
    expect(released).toEqual([]);
  });
});
