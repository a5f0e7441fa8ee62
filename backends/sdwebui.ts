import { z } from 'zod';
import { type Backend, defineBackend } from '../src/backend/index.js';
import { FOR_PICTURES } from '../src/backend/timeouts.js';
import { DEFAULT_WORKLOAD, MAX_WORKLOAD } from '../src/backend/workload.js';

/** In front of the web UI of Stable Diffusion. It draws one picture at a time. */
export function sdwebui(): Backend {
  return defineBackend({
    name: 'sdwebui',
    description: 'In front of the web UI of Stable Diffusion.',
    legacyLoad: 'rate',
    model: {
      url: 'http://127.0.0.1:7860',
      health: '/internal/ping',
      logs: {
        loaded: [/^Model loaded in [\d.]+s\b/],
        failed: [
          { prefix: 'Stable diffusion model failed to load' },
          /^(?:torch\.)?(?:cuda\.)?OutOfMemoryError: /,
        ],
        info: [{ prefix: 'Loading weights [' }],
      },
    },
    routes: {
      '/sdapi/v1/txt2img': {
        maxQueueTime: '2m',
        timeouts: FOR_PICTURES,
        workload: pictureWorkload,
        example: { prompt: 'a lighthouse at night', width: 512, height: 512, steps: 20 },
        benchmark: {
          runs: 3,
          generate: (index) => ({
            prompt: 'a lighthouse at night, oil on canvas',
            width: 512,
            height: 512,
            steps: 20,
            seed: index,
          }),
        },
      },
    },
  });
}

const WORDS_TO_TOKENS = 1.33;

// What is missing, or is no such number, is what the web UI takes where nothing is said.
const picture = z.object({
  width: sizeOr(512),
  height: sizeOr(512),
  batch_size: sizeOr(1),
  steps: sizeOr(50),
  prompt: z.string().catch(''),
});

/** Every pixel of every picture once a step, and the tokens of the prompt; 100 where the body is no object. */
export function pictureWorkload(body: unknown): number {
  const { data } = picture.safeParse(body);
  if (data === undefined) return DEFAULT_WORKLOAD;
  const { width, height, batch_size: pictures, steps, prompt } = data;
  const words = prompt.split(/\s+/).filter((word) => word !== '').length;
  return Math.min(height * width * pictures * steps + words * WORDS_TO_TOKENS, MAX_WORKLOAD);
}

function sizeOr(fallback: number) {
  return z.number().min(0).max(MAX_WORKLOAD).catch(fallback);
}
