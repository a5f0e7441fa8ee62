import { request } from 'undici';
import { z } from 'zod';
import { type Backend, defineBackend, type LogRules } from '../src/backend/index.js';
import { FOR_FACTS, FOR_NUMBERS, FOR_TEXT } from '../src/backend/timeouts.js';
import { DEFAULT_WORKLOAD, MAX_WORKLOAD } from '../src/backend/workload.js';

/** Where an engine listens, how it says that it is well, and what its log means. */
interface Engine {
  readonly url: string;
  readonly health: string;
  readonly logs: LogRules;
  /** Makes it generate as many tokens as were asked for: an answer that ends early would be taken for speed. */
  readonly wholeLength: Readonly<Record<string, unknown>>;
}

const OUT_OF_MEMORY = /\btorch\.(?:cuda\.)?OutOfMemoryError: CUDA out of memory/;

// A prompt may be part of a line of the log, so the lines that decide are matched with what stands around them.
const ENGINES: Readonly<Record<string, Engine>> = {
  vllm: {
    url: 'http://127.0.0.1:8000',
    health: '/health',
    logs: {
      loaded: [/INFO\S* +Application startup complete\.\s*$/],
      failed: [
        /RuntimeError: Engine (?:core initialization failed|process failed to start)/,
        OUT_OF_MEMORY,
        'INFO exited: vllm',
      ],
      info: ['Starting to load model', 'Model loading took', 'GPU KV cache size:'],
    },
    wholeLength: { ignore_eos: true },
  },
  sglang: {
    url: 'http://127.0.0.1:30000',
    health: '/health',
    logs: {
      loaded: [/The server is fired up and ready to roll!\s*$/],
      failed: [/\] (?:Initialization failed\.|Scheduler hit an exception: )/, OUT_OF_MEMORY],
      info: ['Load weight begin.', 'Load weight end.', 'KV Cache is allocated.'],
    },
    wholeLength: { ignore_eos: true },
  },
  llamacpp: {
    url: 'http://127.0.0.1:8080',
    health: '/health',
    logs: {
      loaded: [/^[\w.:|\s]*\bmain: server is listening on http/],
      failed: ['main: exiting due to model loading error', 'llama_model_load: error loading model: '],
      info: ['main: loading model', 'main: model loaded'],
    },
    wholeLength: { ignore_eos: true },
  },
  ollama: {
    url: 'http://127.0.0.1:11434',
    health: '/',
    logs: {
      // The model itself is loaded by the first request, which is one of the benchmark.
      loaded: [/^time=\S+ level=INFO source=\S+ msg="Listening on /],
      failed: [{ prefix: 'Error: pull model manifest:' }, { prefix: 'Error: listen tcp ' }],
      info: ['msg="llama runner started in', { prefix: 'pulling ' }],
    },
    wholeLength: {},
  },
};

const DEFAULT_ENGINE = 'vllm';
const BENCHMARK_TOKENS = 256;
const NAME_TIMEOUT_MS = 5_000;

export interface OpenaiSettings {
  /** Which engine it is: `vllm`, `sglang`, `llamacpp` or `ollama`. `vllm` if left out. */
  readonly preset?: string | undefined;
  /** The model that the benchmark asks for. If left out, the first that the model server tells. */
  readonly modelName?: string | undefined;
  /** Where the model server is, if not where the engine listens by default. */
  readonly modelServerUrl?: string | undefined;
}

/**
 * In front of an engine that speaks OpenAI's protocol.
 *
 * @throws {RangeError} when the preset is unknown
 */
export function openai({ preset = DEFAULT_ENGINE, modelName, modelServerUrl }: OpenaiSettings = {}): Backend {
  const engine = Object.hasOwn(ENGINES, preset) ? ENGINES[preset] : undefined;
  if (engine === undefined) {
    throw new RangeError(
      `unknown preset "${preset}" of openai; it takes ${Object.keys(ENGINES).join(', ')}.`,
    );
  }
  const { url, health, logs, wholeLength } = engine;
  const nameOfModel = askOnce(modelName, modelServerUrl ?? url);
  // Most engines take a request without a name for the model that they serve, and none takes a wrong one.
  const named = modelName === undefined ? {} : { model: modelName };
  return defineBackend({
    name: 'openai',
    description: 'In front of vLLM, SGLang, llama.cpp or ollama.',
    model: { url, health, logs },
    routes: {
      '/v1/completions': {
        parallel: true,
        maxQueueTime: '60s',
        timeouts: FOR_TEXT,
        workload: completionWorkload,
        example: { ...named, prompt: 'Once upon a time', max_tokens: 50 },
        benchmark: {
          generate: async (index) => ({
            model: await nameOfModel(),
            // Each begins with words of its own, so that no engine has its prefix in a cache.
            prompt: `Story ${index}, told at length, about a lighthouse, a fox and ${index + 2} letters:`,
            max_tokens: BENCHMARK_TOKENS,
            ...wholeLength,
          }),
        },
      },
      '/v1/chat/completions': {
        parallel: true,
        maxQueueTime: '60s',
        timeouts: FOR_TEXT,
        workload: chatWorkload,
        example: { ...named, messages: [{ role: 'user', content: 'Tell me a story.' }], max_tokens: 50 },
      },
      '/v1/embeddings': {
        parallel: true,
        maxQueueTime: '60s',
        timeouts: FOR_NUMBERS,
        example: { ...named, input: 'Once upon a time' },
      },
      '/v1/models': { method: 'GET', public: true, parallel: true, timeouts: FOR_FACTS, workload: 0 },
    },
  });
}

const tokens = z.number().min(0).max(MAX_WORKLOAD);
const completion = z.object({ max_tokens: tokens });
const chat = z.object({ max_completion_tokens: tokens });

/** `max_tokens`; 100 where it is not said. */
export function completionWorkload(body: unknown): number {
  return completion.safeParse(body).data?.max_tokens ?? DEFAULT_WORKLOAD;
}

/** `max_completion_tokens` or the older `max_tokens`; 100 where neither is said. */
export function chatWorkload(body: unknown): number {
  return chat.safeParse(body).data?.max_completion_tokens ?? completionWorkload(body);
}

/** The name that was given, else the first model that the server tells, asked until it is known. */
function askOnce(given: string | undefined, baseUrl: string): () => Promise<string | undefined> {
  let known = given;
  return async () => {
    known ??= await firstModel(baseUrl);
    return known;
  };
}

const modelList = z.object({ data: z.array(z.object({ id: z.string() })).min(1) });

/**
 * Undefined where the server does not tell. Then the request goes without a name, which most engines take; and
 * where the server is not there yet, that request shows it and is tried again.
 */
async function firstModel(baseUrl: string): Promise<string | undefined> {
  try {
    const { body } = await request(`${baseUrl.replace(/\/+$/, '')}/v1/models`, {
      headersTimeout: NAME_TIMEOUT_MS,
      bodyTimeout: NAME_TIMEOUT_MS,
      reset: true,
    });
    return modelList.safeParse(await body.json()).data?.data[0]?.id;
  } catch {
    return undefined;
  }
}
