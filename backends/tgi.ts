import { z } from 'zod';
import { type Backend, type DialectName, defineBackend } from '../src/backend/index.js';
import { FOR_TEXT } from '../src/backend/timeouts.js';
import { DEFAULT_WORKLOAD, MAX_WORKLOAD } from '../src/backend/workload.js';

const BENCHMARK_TOKENS = 256;

export interface TgiSettings {
  /** The older one counts the prompt as well. `current` if left out. */
  readonly dialect?: DialectName | undefined;
}

/** In front of Text Generation Inference. */
export function tgi({ dialect = 'current' }: TgiSettings = {}): Backend {
  const workload = dialect === 'legacy' ? promptAndTokens : newTokens;
  return defineBackend({
    name: 'tgi',
    description: 'In front of Text Generation Inference.',
    dialect,
    legacyCapacity: true,
    model: {
      url: 'http://127.0.0.1:8080',
      health: '/health',
      logs: {
        loaded: [
          // As JSON, of newer and of older versions, where quotes of a prompt have a backslash before them.
          /"message":"Connected"\}?,"target":"text_generation_router/,
          /INFO\b.{0,16}text_generation_router.*\bConnected$/,
        ],
        failed: [/^Error: (?:WebserverFailed|DownloadError|ShardCannotStart|ShardFailed)\b/],
        info: ['"message":"Download', 'text_generation_launcher: Download'],
      },
    },
    routes: {
      '/generate': {
        parallel: true,
        maxQueueTime: '60s',
        timeouts: FOR_TEXT,
        workload,
        example: { inputs: 'Once upon a time', parameters: { max_new_tokens: 50 } },
        benchmark: {
          generate: (index) => ({
            // Each begins with words of its own, so that the engine does not have its prefix in a cache.
            inputs: `Story ${index}, told at length, about a lighthouse, a fox and ${index + 2} letters:`,
            // TGI can't be told over HTTP to go on past the end of a text. What was asked for counts all the
            // same, as it does for clients, so that the speed and the load are in one unit.
            parameters: { max_new_tokens: BENCHMARK_TOKENS },
          }),
        },
      },
      '/generate_stream': { parallel: true, maxQueueTime: '60s', timeouts: FOR_TEXT, workload },
    },
  });
}

const asked = z.object({
  parameters: z.object({ max_new_tokens: z.number().min(0).max(MAX_WORKLOAD) }),
});
const prompted = z.object({ inputs: z.string() });

/** `parameters.max_new_tokens`; 100 where it is not said. */
export function newTokens(body: unknown): number {
  return asked.safeParse(body).data?.parameters.max_new_tokens ?? DEFAULT_WORKLOAD;
}

/** A token for every four characters of the prompt, and the new ones: what the legacy dialect counts. */
export function promptAndTokens(body: unknown): number {
  const prompt = prompted.safeParse(body).data?.inputs ?? '';
  return Math.min(prompt.length / 4 + newTokens(body), MAX_WORKLOAD);
}
