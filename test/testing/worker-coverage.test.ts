import { AssertionError } from 'node:assert';
import { expect, it } from 'vitest';
import { openai } from '../../backends/openai.js';
import {
  startFakeModel,
  startTestWorker,
  transitionCoverage,
  workerMachines,
} from '../../src/testing/index.js';

it('a worker of the kit tells which states and transitions of its machines a test takes', async () => {
  const lifecycle = transitionCoverage(workerMachines.lifecycle);
  const health = transitionCoverage(workerMachines.health);
  const inspect = (event: Parameters<typeof lifecycle.inspect>[0]) => {
    lifecycle.inspect(event);
    health.inspect(event);
  };
  await using model = await startFakeModel({ kind: 'openai' });
  await using worker = await startTestWorker(openai(), {
    model,
    inspect,
    env: { TSWORKER_READINESS: 'health', TSWORKER_MAX_PERF: '100', TSWORKER_HEALTH_INTERVAL: '20ms' },
  });
  const taken = () => lifecycle.report().states.flatMap(({ id, taken }) => (taken ? [id] : []));
  await worker.reaches('serving');
  expect(taken()).toEqual(
    expect.arrayContaining(['work.loading', 'work.loaded', 'work.serving', 'watch.watched']),
  );
  expect(taken()).not.toContain('work.failing');
  expect(lifecycle.untaken()).toContain('state work.failing');

  model.behave({ healthStatus: 500 });
  await worker.reaches('failing');
  expect(taken()).toContain('work.failing');
  expect(lifecycle.untaken()).not.toContain('transition work on backend.failed → work.failing');
  expect(health.untaken()).not.toContain('state well');

  await worker.stop();
  expect(taken()).toEqual(expect.arrayContaining(['work.draining.finishing', 'work.stopped']));
  expect(() => lifecycle.expectAtLeast()).toThrow(AssertionError);
  lifecycle.expectAtLeast({ states: 60, transitions: 20 });
});
