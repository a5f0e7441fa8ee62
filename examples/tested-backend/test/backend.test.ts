import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  expectPath,
  leakCheck,
  startFakeModel,
  startTestWorker,
  transitionCoverage,
  workerMachines,
} from 'tsworker/testing';
import backend from '../backend.js';

const lifecycle = transitionCoverage(workerMachines.lifecycle);
const { inspect } = lifecycle;
after(() => lifecycle.expectAtLeast({ states: 60, transitions: 20 }));

test('a text is summarised by the model', async () => {
  await using _leaks = leakCheck();
  await using model = await startFakeModel();
  await using worker = await startTestWorker(backend, { model, inspect });
  await worker.reaches('serving');
  const answer = await worker.call('/summarise', { text: 'It was a dark and stormy night.', words: 2 });
  assert.equal(answer.status, 200);
  assert.deepEqual(await answer.json(), { summary: 'tok0 tok1 tok2 tok3' });
  assert.deepEqual(JSON.parse(model.requests[0]?.body ?? ''), {
    prompt: 'Summarise in 2 words:\nIt was a dark and stormy night.',
    max_tokens: 4,
  });
});

test('a request without a text is refused, and the model is not asked', async () => {
  await using model = await startFakeModel();
  await using worker = await startTestWorker(backend, { model, inspect });
  await worker.reaches('serving');
  const answer = await worker.call('/summarise', { words: 2 });
  assert.equal(answer.status, 422);
  assert.match(await answer.text(), /text/);
  assert.equal(model.requests.length, 0);
});

test('the worker fails with its model, says so, and serves again when it is back', async () => {
  await using model = await startFakeModel();
  await using worker = await startTestWorker(backend, {
    model,
    inspect,
    env: { TSWORKER_HEALTH_INTERVAL: '20ms', TSWORKER_HEALTH_STRIKES: '2' },
  });
  await worker.reaches('serving');
  model.behave({ healthStatus: 500 });
  await worker.reaches('failing');
  assert.match(worker.view().errorMessage, /500/);
  model.behave({ healthStatus: 200 });
  await worker.reaches('serving');
  expectPath(worker).toEqual(['loading', 'loaded', 'serving', 'failing', 'loaded', 'serving']);
});

test('work is told to the autoscaler although it fails for a while', async () => {
  await using model = await startFakeModel();
  await using worker = await startTestWorker(backend, { model, inspect });
  await worker.reaches('serving');
  const { autoscaler } = worker;
  assert.ok(autoscaler);
  autoscaler.faults.next(500, { of: 'completions' });
  autoscaler.faults.next('cut', { of: 'completions' });
  await worker.call('/summarise', { text: 'Once upon a time', words: 3 });
  await autoscaler.waitForMessage(({ kind, acknowledged }) => kind === 'completions' && acknowledged);
  assert.equal(autoscaler.completions()[0]?.status, 'Success');
  assert.equal(await worker.stop(), 'clean');
});
