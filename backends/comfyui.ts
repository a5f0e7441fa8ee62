import { z } from 'zod';
import { type Backend, defineBackend } from '../src/backend/index.js';
import { FOR_PICTURES } from '../src/backend/timeouts.js';
import { DEFAULT_WORKLOAD, MAX_WORKLOAD } from '../src/backend/workload.js';

/** How many seconds a standard picture takes, by the kind of model. */
const STANDARD_SECONDS: Readonly<Record<string, number>> = { flux: 23, sd3: 6 };
const DEFAULT_MODEL = 'flux';

export interface ComfyuiSettings {
  /** Which kind of model draws: `flux` or `sd3`. `flux` if left out. */
  readonly preset?: string | undefined;
  /** `BENCHMARK_TEST_WIDTH`, `BENCHMARK_TEST_HEIGHT`, `BENCHMARK_TEST_STEPS`: the picture that measures. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * In front of the API wrapper of ComfyUI, which waits for the picture. It draws one at a time.
 *
 * @throws {RangeError} when the preset is unknown, or the environment has no usable size
 */
export function comfyui({ preset = DEFAULT_MODEL, env = {} }: ComfyuiSettings = {}): Backend {
  const seconds = Object.hasOwn(STANDARD_SECONDS, preset) ? STANDARD_SECONDS[preset] : undefined;
  if (seconds === undefined) {
    const known = Object.keys(STANDARD_SECONDS).join(', ');
    throw new RangeError(`unknown preset "${preset}" of comfyui; it takes ${known}.`);
  }
  const size = {
    width: countIn(env, 'BENCHMARK_TEST_WIDTH', 512),
    height: countIn(env, 'BENCHMARK_TEST_HEIGHT', 512),
    steps: countIn(env, 'BENCHMARK_TEST_STEPS', 20),
  };
  return defineBackend({
    name: 'comfyui',
    description: 'In front of the API wrapper of ComfyUI.',
    model: {
      url: 'http://127.0.0.1:18288',
      health: '/health',
      logs: {
        loaded: [/^(?:\[[^\]]*\] )*To see the GUI go to: /],
        failed: ['MetadataIncompleteBuffer', '[ERROR] Provisioning Script failed'],
        info: ['"message":"Downloading'],
      },
    },
    routes: {
      '/generate/sync': {
        maxQueueTime: '5m',
        timeouts: FOR_PICTURES,
        rewrite: (text) => withRandomIntegers(text),
        workload: (body) => workflowWorkload(body, seconds),
        example: textToImage('example', 'a lighthouse at night', { ...size, seed: RANDOM }),
        benchmark: {
          runs: 3,
          // The seed is another each time, since ComfyUI answers at once with what it has drawn before.
          generate: (index) =>
            textToImage(`benchmark-${index}`, 'a lighthouse at night', { ...size, seed: index }),
        },
      },
    },
  });
}

function textToImage(requestId: string, prompt: string, more: Readonly<Record<string, unknown>>): unknown {
  return { input: { request_id: requestId, modifier: 'Text2Image', modifications: { prompt, ...more } } };
}

function countIn(env: ComfyuiSettings['env'], variable: string, fallback: number): number {
  const text = env?.[variable] || String(fallback);
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new RangeError(`${variable} is ${JSON.stringify(text)}; it takes a whole number from 1 to 999999.`);
  }
  return Number(text);
}

const RANDOM = '__RANDOM_INT__';

/** A name of a member stays; a string that is nothing else, which no escaped quote begins; and what is part of one. */
const PLACES = /((?<!\\)"__RANDOM_INT__"\s*:)|(?<!\\)"__RANDOM_INT__"|__RANDOM_INT__/g;

/** Seeds of 32 bits are taken by every sampler. */
const SEEDS = 2 ** 32;

/**
 * The text with an integer from 0 to 2^32 - 1 in place of each `__RANDOM_INT__`, another for each. One that is all of
 * a string becomes a number; within a longer one its digits are put in. All else stays as the client wrote it: a seed
 * of 64 bits would not survive being parsed.
 */
export function withRandomIntegers(
  text: string,
  randomInteger: () => number = () => Math.floor(Math.random() * SEEDS),
): string {
  return text.replaceAll(PLACES, (_place, name?: string) => name ?? String(randomInteger()));
}

const size = z.number().min(1).max(MAX_WORKLOAD);
const request = z.object({
  input: z.object({
    modifications: z.unknown().optional(),
    workflow_json: z
      .record(z.string(), z.object({ inputs: z.unknown().optional() }).catch({ inputs: null }))
      .catch({}),
  }),
});
const area = z.object({ width: size, height: size });
const sampler = z.object({ steps: size });

/**
 * The work of a picture, set against a standard one of 1024 × 1024 pixels in 28 steps: 200 units for each second
 * that one takes. Size and steps are those of the modifications, or of the first nodes of the workflow that have
 * them; 100 where they are not said.
 */
export function workflowWorkload(body: unknown, standardSeconds: number): number {
  const { data } = request.safeParse(body);
  if (data === undefined) return DEFAULT_WORKLOAD;
  const { modifications, workflow_json: workflow } = data.input;
  const places = [modifications, ...Object.values(workflow).map(({ inputs }) => inputs)];
  const picture = places.map((place) => area.safeParse(place).data).find((found) => found !== undefined);
  const drawn = places.map((place) => sampler.safeParse(place).data).find((found) => found !== undefined);
  if (picture === undefined || drawn === undefined) return DEFAULT_WORKLOAD;
  const share = effort(picture.width, picture.height, drawn.steps) / effort(1024, 1024, 28);
  return Math.min(share * 200 * standardSeconds, MAX_WORKLOAD);
}

function effort(width: number, height: number, steps: number): number {
  const tokens = 85 + 175 * Math.ceil(width / 512) * Math.ceil(height / 512);
  return tokens * (0.61 * steps + 6.57);
}
