import { z } from 'zod';
import { type Backend, defineBackend } from '../src/backend/index.js';
import { FOR_TEXT } from '../src/backend/timeouts.js';
import { DEFAULT_WORKLOAD, MAX_WORKLOAD } from '../src/backend/workload.js';

const BENCHMARK_TOKENS = 128;

/** In front of the older API of text-generation-webui. It generates one text at a time. */
export function ooba(): Backend {
  return defineBackend({
    name: 'ooba',
    description: 'In front of text-generation-webui, in the legacy dialect.',
    dialect: 'legacy',
    model: {
      url: 'http://127.0.0.1:5000',
      health: '/api/v1/model',
      logs: {
        loaded: [/^(?:[\d:,.-]+ )*INFO *:? *Loaded the model in [\d.]+ seconds/],
        failed: [/^(?:torch\.)?(?:cuda\.)?OutOfMemoryError: CUDA out of memory/],
        info: [/^(?:[\d:,.-]+ )*INFO *:? *Loading\b/],
      },
    },
    routes: {
      '/api/v1/generate': {
        maxQueueTime: '60s',
        timeouts: FOR_TEXT,
        workload: promptAndTokens,
        example: { prompt: 'Once upon a time', max_new_tokens: 50 },
        benchmark: {
          runs: 4,
          generate: (index) => ({
            prompt: `Story ${index}, told at length, about a lighthouse, a fox and ${index + 2} letters:`,
            max_new_tokens: BENCHMARK_TOKENS,
            ban_eos_token: true,
          }),
        },
      },
    },
  });
}

const prompted = z.object({ prompt: z.string() });
const asked = z.object({ max_new_tokens: z.number().min(0).max(MAX_WORKLOAD) });

/** A token for every four characters of the prompt, and `max_new_tokens`: 100 where it is not said. */
export function promptAndTokens(body: unknown): number {
  const prompt = prompted.safeParse(body).data?.prompt ?? '';
  const tokens = asked.safeParse(body).data?.max_new_tokens ?? DEFAULT_WORKLOAD;
  return Math.min(prompt.length / 4 + tokens, MAX_WORKLOAD);
}
