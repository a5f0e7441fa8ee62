import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import process from 'node:process';
import { expect, it } from 'vitest';
import { createActor, createMachine, fromCallback } from 'xstate';
import { defineBackend } from '../../src/index.js';
import { type LeakCheck, leakCheck, startFakeModel, startTestWorker } from '../../src/testing/index.js';

/** What is found while something is held, and what is found when it is let go of again. */
async function foundOf(hold: (leaks: LeakCheck) => Promise<() => unknown> | (() => unknown)) {
  const leaks = leakCheck();
  const letGo = await hold(leaks);
  const held = await leaks.found();
  await letGo();
  const after = await leaks.found();
  leaks.end();
  return { kinds: held.map(({ kind }) => kind), places: held.map(({ at }) => at), after };
}

it('finds a timer, and where it was made', async () => {
  const { kinds, places, after } = await foundOf(() => {
    const timer = setInterval(() => {}, 60_000);
    return () => clearInterval(timer);
  });
  expect({ kinds, after }).toEqual({ kinds: ['timer'], after: [] });
  expect(places[0]).toMatch(/leaks\.test\.ts:\d+:\d+/);
});

it('finds servers and both ends of a connection, and where they were made', async () => {
  const { kinds, places, after } = await foundOf(async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const client = connect({ host: '127.0.0.1', port: (address as { port: number }).port });
    const [served] = await once(server, 'connection');
    return async () => {
      client.destroy();
      served.destroy();
      server.close();
      await once(server, 'close');
    };
  });
  expect({ kinds, after }).toEqual({ kinds: ['server', 'socket', 'socket'], after: [] });
  const lines = places.map((place) => /leaks\.test\.ts:(\d+)/.exec(place)?.[1]);
  // What the server has taken comes of it.
  expect(lines).toEqual([lines[0], String(Number(lines[0]) + 3), lines[0]]);
});

it('finds a worker and a fake model that were not let go of, by the line of the test', async () => {
  const backend = defineBackend({ name: 'any', dialect: 'none', routes: { '/a': { handle: () => 'a' } } });
  const { places, after } = await foundOf(async () => {
    const model = await startFakeModel();
    const worker = await startTestWorker(backend, { autoscaler: null });
    return async () => {
      await worker.stop();
      await model.close();
    };
  });
  expect(places.length).toBeGreaterThan(2);
  expect(places.filter((place) => !place.includes('/testing/leaks.test.ts'))).toEqual([]);
  expect(after).toEqual([]);
});

it('finds a process that was begun and has not ended', async () => {
  const { kinds, places, after } = await foundOf(async () => {
    const child = fork('-e', ['setInterval(() => {}, 1e6)'], { execArgv: [], silent: true });
    await once(child, 'spawn');
    return async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
    };
  });
  expect(kinds).toContain('child process');
  expect(places.filter((place) => !/leaks\.test\.ts:\d+/.test(place))).toEqual([]);
  expect(after).toEqual([]);
});

it('finds actors that run, children too', async () => {
  const machine = createMachine({ id: 'kettle', invoke: { id: 'whistle', src: fromCallback(() => {}) } });
  const { kinds, places, after } = await foundOf((leaks) => {
    const named = createActor(machine, { id: 'my kettle', inspect: leaks.inspect }).start();
    const unnamed = createActor(machine, { inspect: leaks.inspect }).start();
    return () => {
      named.stop();
      unnamed.stop();
    };
  });
  expect({ kinds, places, after }).toEqual({
    kinds: ['actor', 'actor', 'actor', 'actor'],
    places: ['my kettle', 'whistle', 'kettle', 'whistle'],
    after: [],
  });
});

it('finds listeners of the process, and warnings', async () => {
  const listener = () => {};
  const { kinds } = await foundOf(async () => {
    process.on('SIGHUP', listener);
    process.emitWarning('too many of them', 'MaxListenersExceededWarning');
    await new Promise(setImmediate);
    return () => process.off('SIGHUP', listener);
  });
  expect(kinds).toEqual(['listener of the process', 'MaxListenersExceededWarning']);
});

it('lets be what does not hold up the end of the process', async () => {
  const { kinds } = await foundOf(() => {
    const timer = setInterval(() => {}, 60_000).unref();
    return () => clearInterval(timer);
  });
  expect(kinds).toEqual([]);
});

it('fails a test at its end, by name', async () => {
  const timers: NodeJS.Timeout[] = [];
  const test = async () => {
    await using _leaks = leakCheck();
    timers.push(setTimeout(() => {}, 60_000));
  };
  await expect(test()).rejects.toThrow(
    expect.objectContaining({
      code: 'ERR_ASSERTION',
      message: expect.stringMatching(/^1 left behind:\n {2}timer: .*leaks\.test\.ts/),
    }),
  );
  for (const timer of timers) clearTimeout(timer);
});
