import { expect, it } from 'vitest';
import { comfyui } from '../../backends/comfyui.js';
import { ooba } from '../../backends/ooba.js';
import { openai } from '../../backends/openai.js';
import { sdwebui } from '../../backends/sdwebui.js';
import { tgi } from '../../backends/tgi.js';
import { compileRules } from '../../src/model/rules.js';
import { chatter, PRESETS } from '../../src/testing/models/presets.js';

const LOADED = { url: 'http://127.0.0.1:1', loadTimeMs: 1_500, at: '2026-01-01T00:00:00Z' };

const backends = {
  vllm: openai(),
  sglang: openai({ preset: 'sglang' }),
  llamacpp: openai({ preset: 'llamacpp' }),
  ollama: openai({ preset: 'ollama' }),
  tgi: tgi(),
  'tgi-text': tgi(),
  comfyui: comfyui(),
  sdwebui: sdwebui(),
  ooba: ooba(),
} as const;

type Engine = keyof typeof backends;
const engines = Object.keys(PRESETS) as Engine[];

function meaningFor(engine: Engine) {
  return compileRules(backends[engine].model?.logs ?? {});
}

it('each engine has a backend', () => {
  expect(engines.toSorted()).toEqual(Object.keys(backends).toSorted());
});

it.each(engines)('the log of %s says that it has loaded, and not before', (engine) => {
  const meaning = meaningFor(engine);
  expect(meaning(PRESETS[engine].loaded(LOADED))).toBe('loaded');
  for (const line of PRESETS[engine].starting) expect(['info', null]).toContain(meaning(line));
});

const LOAD_LINES: readonly string[] = engines.map((engine) => PRESETS[engine].loaded(LOADED));
const ALARMS = ['Traceback (most recent call last):', 'RuntimeError: CUDA error', 'Error: WebserverFailed'];

it.each(engines)('a prompt in the log of %s means nothing', (engine) => {
  const meaning = meaningFor(engine);
  for (const prompt of [...ALARMS, `${LOAD_LINES.join(' ')} and so on`]) {
    for (const line of chatter(engine, prompt)) {
      expect([line, meaning(line)]).toEqual([line, null]);
    }
  }
});

it.each<[engine: Engine, line: string, meaning: string | null]>([
  ['vllm', '(APIServer pid=7) INFO:     Application startup complete.', 'loaded'],
  ['vllm', 'INFO:     Waiting for application startup.', null],
  ['vllm', 'RuntimeError: Engine core initialization failed. See root cause above.', 'failed'],
  ['vllm', '2026-01-01 00:00:00,000 INFO exited: vllm (exit status 1; not expected)', 'failed'],
  ['vllm', PRESETS.vllm.outOfMemory, 'failed'],
  ['vllm', 'INFO 01-01 00:00:00 [gpu_model_runner.py:1] Model loading took 0.5 GiB', 'info'],
  ['sglang', PRESETS.sglang.outOfMemory, 'failed'],
  ['sglang', '[2026-01-01 00:00:00] Initialization failed. Please see the error messages above.', 'failed'],
  ['llamacpp', 'main: exiting due to model loading error', 'failed'],
  ['llamacpp', 'llama_model_load: error loading model: tensor not found', 'failed'],
  ['ollama', 'Error: pull model manifest: file does not exist', 'failed'],
  ['tgi', 'Error: ShardCannotStart', 'failed'],
  ['tgi', 'Error: DownloadError', 'failed'],
  ['tgi', 'Error: WebserverFailed', 'failed'],
  [
    'tgi',
    '{"timestamp":"2026-01-01T00:00:00Z","level":"INFO","fields":{"message":"Connected"},"target":"text_generation_router"}',
    'loaded',
  ],
  [
    'tgi-text',
    '\u001b[2m2026-01-01T00:00:00Z\u001b[0m \u001b[32m INFO\u001b[0m \u001b[2mtext_generation_router\u001b[0m\u001b[2m:\u001b[0m Connected',
    'loaded',
  ],
  ['llamacpp', '0.00.123.456 I main: server is listening on http://127.0.0.1:8080', 'loaded'],
  ['comfyui', '[2026-01-01 00:00:00.000] To see the GUI go to: http://127.0.0.1:8188', 'loaded'],
  ['comfyui', '[ERROR] Provisioning Script failed', 'failed'],
  ['comfyui', 'safetensors_rust.SafetensorError: Error: MetadataIncompleteBuffer', 'failed'],
  ['sdwebui', 'Stable diffusion model failed to load', 'failed'],
  ['sdwebui', PRESETS.sdwebui.outOfMemory, 'failed'],
  ['ooba', '12:00:00-000000 INFO     Loaded the model in 1.50 seconds.', 'loaded'],
  ['ooba', PRESETS.ooba.outOfMemory, 'failed'],
])('%s: %s', (engine, line, meaning) => {
  expect(meaningFor(engine)(line)).toBe(meaning);
});
