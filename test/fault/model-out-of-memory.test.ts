import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startWithEngine } from '../support/faults-engine.js';
import { endsWith, entered, got } from '../support/faults-outcomes.js';
import { temporaryFolder } from '../support/worker-program.js';

/** What the kernel writes of a cgroup. */
const counted = (kills: number) =>
  `low 0\nhigh 0\nmax 12\noom ${kills}\noom_kill ${kills}\noom_group_kill 0\n`;

it.each([
  { who: 'the kernel for want of memory', kills: 4, why: 'the kernel killed it for want of memory' },
  { who: 'somebody', kills: 3, why: 'killed by SIGKILL' },
])('a model that is killed by $who: that is what is told, and it serves again', async ({ kills, why }) => {
  const memoryEvents = join(temporaryFolder(), 'memory.events');
  // Others have been killed before, which says nothing of this model.
  writeFileSync(memoryEvents, counted(3));
  const { autoscaler, worker, ask, behave, lines, pids } = await startWithEngine({
    env: { TSWORKER_MEMORY_EVENTS: memoryEvents },
  });
  await worker.reaches('serving');
  writeFileSync(memoryEvents, counted(kills));
  await behave({ outOfMemory: true });
  expect(await got(ask({ stream: true }))).toEqual({
    status: 500,
    body: expect.stringContaining('"model_failed"'),
    whole: true,
  });
  const failing = await worker.reaches('failing');
  expect(failing.reason).toBe(`the model server has died (1 of 5): ${why}`);
  const { error_msg } = await autoscaler.untilStatus((status) => status.error_msg !== '');
  expect(error_msg.split('\n')[0]).toBe(failing.reason);
  expect(error_msg.split('\n').at(-1)).toContain('CUDA out of memory');
  await worker.reaches('serving', failing);
  expect((await got(ask())).status).toBe(200);
  expect((await autoscaler.nextStatus()).error_msg).toBe('');
  expect(entered(worker)).toEqual([
    ...['loading', 'loaded', 'serving', 'failing'],
    ...['loading', 'loaded', 'serving'],
  ]);
  expect(lines().filter((line) => line.includes('CUDA out of memory'))).toHaveLength(1);
  await endsWith({ worker, autoscaler, pids: pids() }, { succeeded: 1, errored: 1 });
});
