import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { untilState } from '../support/worker.js';
import { backendFor, rigAround, startModel } from './rig.js';
import { Scribe } from './scribe.js';

const STALL_MS = 1_000;

/** A worker whose model is known by its log, which says nothing, while something is downloaded to a folder. */
async function startDownloading(env: (folder: string) => Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'tsworker-load-watch-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const log = join(folder, 'model.log');
  const blob = join(folder, 'weights.incomplete');
  const download = setInterval(() => appendFileSync(blob, Buffer.alloc(64 * 1_024, 1)), 50);
  const stop = () => clearInterval(download);
  onTestFinished(stop);
  const [autoscaler, model] = [await Scribe.start(), await startModel()];
  const backend = backendFor(model, { model: { url: model.url, log, logs: { loaded: ['up'] } } });
  const rig = await rigAround(
    autoscaler,
    model,
    backend,
    { TSWORKER_LOAD_STALL_TIMEOUT: `${STALL_MS}ms`, ...env(folder) },
    true,
  );
  return { ...rig, stop };
}

it('a load whose log says nothing goes on while the watched folder grows, and is given up when it does not', async () => {
  const rig = await startDownloading((folder) => ({ TSWORKER_LOAD_WATCH: folder }));
  while (rig.worker.view().inStateMs < 3 * STALL_MS) await rig.autoscaler.nextStatus();
  expect(rig.worker.view().state).toBe('loading');
  rig.stop();
  await untilState(rig.worker, 'failing');
  expect(rig.worker.view().reason).toContain('TSWORKER_LOAD_STALL_TIMEOUT');
});

it('a load whose log says nothing is given up where no folder is watched', async () => {
  const rig = await startDownloading(() => ({}));
  await untilState(rig.worker, 'failing');
  expect(rig.worker.view().reason).toContain('TSWORKER_LOAD_STALL_TIMEOUT');
});
