import {
  expectPath,
  leakCheck,
  startFakeModel,
  startTestWorker,
  transitionCoverage,
  workerMachines,
} from 'tsworker/testing';
import { expect, test } from 'vitest';
import backend from '../backend.js';

const { inspect } = transitionCoverage(workerMachines.lifecycle, { folder: process.env.COVERED });

test('a text is summarised by the model', async () => {
  await using _leaks = leakCheck();
  await using model = await startFakeModel();
  await using worker = await startTestWorker(backend, { model, inspect });
  await worker.reaches('serving');
  const answer = await worker.call('/summarise', { text: 'It was a dark and stormy night.', words: 2 });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ summary: 'tok0 tok1 tok2 tok3' });
});

test('the worker fails with its model, and serves again when it is back', async () => {
  await using model = await startFakeModel();
  await using worker = await startTestWorker(backend, {
    model,
    inspect,
    env: { TSWORKER_HEALTH_INTERVAL: '20ms', TSWORKER_HEALTH_STRIKES: '2' },
  });
  await worker.reaches('serving');
  model.behave({ healthStatus: 500 });
  await worker.reaches('failing');
  model.behave({ healthStatus: 200 });
  await worker.reaches('serving');
  expectPath(worker).toEqual(['loading', 'loaded', 'serving', 'failing', 'loaded', 'serving']);
});
