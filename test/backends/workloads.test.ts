import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withRandomIntegers, workflowWorkload } from '../../backends/comfyui.js';
import { promptAndTokens as oobaWorkload } from '../../backends/ooba.js';
import { chatWorkload, completionWorkload } from '../../backends/openai.js';
import { pictureWorkload } from '../../backends/sdwebui.js';
import { newTokens, promptAndTokens as tgiWorkload } from '../../backends/tgi.js';

const flux = (body: unknown) => workflowWorkload(body, 23);
const sd3 = (body: unknown) => workflowWorkload(body, 6);
const modified = (modifications: unknown) => ({ input: { modifications } });
const workflow = (...inputs: unknown[]) => ({
  input: { workflow_json: Object.fromEntries(inputs.map((each, index) => [index + 1, { inputs: each }])) },
});

describe('a workload is', () => {
  it.each<[name: string, workload: (body: unknown) => number, body: unknown, expected: number]>([
    ['what a completion may generate', completionWorkload, { prompt: 'a', max_tokens: 256 }, 256],
    ['of a completion as written, a fraction included', completionWorkload, { max_tokens: 0.5 }, 0.5],
    ['100 where a completion does not say', completionWorkload, { prompt: 'a' }, 100],
    ['100 where a completion says nothing of use', completionWorkload, { max_tokens: -1 }, 100],
    ['100 where a completion says null', completionWorkload, { max_tokens: null }, 100],
    ['100 where a completion says too much', completionWorkload, { max_tokens: 1e13 }, 100],
    ['100 where there is no completion', completionWorkload, undefined, 100],
    ['what a chat may generate', chatWorkload, { max_completion_tokens: 70 }, 70],
    ['what a chat may generate, by the older name', chatWorkload, { max_tokens: 60 }, 60],
    ['the newer of both names', chatWorkload, { max_completion_tokens: 70, max_tokens: 60 }, 70],
    ['the name that is of use', chatWorkload, { max_completion_tokens: null, max_tokens: 60 }, 60],
    ['100 where a chat does not say', chatWorkload, { messages: [] }, 100],

    ['the new tokens of TGI', newTokens, { inputs: 'abcd', parameters: { max_new_tokens: 256 } }, 256],
    ['100 where TGI is not told', newTokens, { inputs: 'abcd', max_new_tokens: 5 }, 100],
    // 10 / 4 + 256
    ['with the prompt', tgiWorkload, { inputs: '0123456789', parameters: { max_new_tokens: 256 } }, 258.5],
    ['with the prompt and 100', tgiWorkload, { inputs: '0123456789' }, 102.5],
    ['100 without any', tgiWorkload, {}, 100],

    // 10 / 4 + 200
    ['of ooba', oobaWorkload, { prompt: '0123456789', max_new_tokens: 200 }, 202.5],
    ['of ooba with 100', oobaWorkload, { prompt: '0123456789' }, 102.5],
    ['of ooba without any', oobaWorkload, {}, 100],

    // 768 · 512 · 2 · 30 + 4 · 1.33
    [
      'every pixel of every picture once a step',
      pictureWorkload,
      { width: 512, height: 768, batch_size: 2, steps: 30, prompt: ' a red  fox\nruns ' },
      23_592_965.32,
    ],
    // 512 · 512 · 1 · 50
    ['what the web UI takes where nothing is said', pictureWorkload, {}, 13_107_200],
    [
      'what it takes for what is of no use',
      pictureWorkload,
      { width: 'a', steps: -1, prompt: 7 },
      13_107_200,
    ],
    ['100 where there is no picture', pictureWorkload, 'a fox', 100],
    ['at most 1e12', pictureWorkload, { width: 1e6, height: 1e6, steps: 50 }, 1e12],

    // 785 · 23.65 over itself · 200 · 23
    ['of a standard picture', flux, modified({ width: 1024, height: 1024, steps: 28 }), 4_600],
    ['of one by SD3', sd3, modified({ width: 1024, height: 1024, steps: 28 }), 1_200],
    // 85 + 175 = 260; 0.61 · 20 + 6.57 = 18.77; 260 · 18.77 = 4880.2; 785 · 23.65 = 18565.25; · 4600
    ['of a small picture', flux, modified({ width: 512, height: 512, steps: 20 }), 1_209.190288307],
    // 85 + 175 · 2 · 1 = 435; 0.61 · 10 + 6.57 = 12.67; 5511.45 / 18565.25 · 4600
    ['of one that is just wider', flux, modified({ width: 513, height: 512, steps: 10 }), 1_365.598093212],
    [
      'of a workflow, by the first nodes that say it',
      flux,
      workflow(
        { text: 'a' },
        { steps: 28 },
        { width: 1024, height: 1024 },
        { steps: 1, width: 1, height: 1 },
      ),
      4_600,
    ],
    ['100 of a workflow without steps', flux, workflow({ width: 1024, height: 1024 }), 100],
    ['100 of a workflow whose steps come from a node', flux, workflow({ steps: ['4', 0] }), 100],
    ['100 of no workflow', flux, { input: 7 }, 100],
  ])('%s', (_name, workload, body, expected) => {
    expect(workload(body)).toBeCloseTo(expected, 6);
  });

  const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(1e308, -1, 0, 2 ** 53));
  const field = fc.oneof(number, fc.jsonValue());
  const fields = fc.record(
    Object.fromEntries(
      [
        'max_tokens',
        'max_completion_tokens',
        'max_new_tokens',
        'width',
        'height',
        'batch_size',
        'steps',
        'prompt',
      ]
        .map((name) => [name, field] as const)
        .concat([['inputs', field]]),
    ),
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    fc.jsonValue(),
    fields,
    fields.map((parameters) => ({ inputs: 'a', parameters })),
    fields.map(modified),
    fc.array(fields).map((nodes) => workflow(...nodes)),
  );

  it.each([
    ['a completion', completionWorkload],
    ['a chat', chatWorkload],
    ['TGI', newTokens],
    ['TGI in the legacy dialect', tgiWorkload],
    ['ooba', oobaWorkload],
    ['the web UI', pictureWorkload],
    ['ComfyUI', flux],
  ])('a number from 0 to 1e12, whatever %s is asked', (_name, workload) => {
    fc.assert(
      fc.property(body, (asked) => {
        const work = workload(asked);
        expect(work >= 0 && work <= 1e12).toBe(true);
      }),
    );
  });
});

describe('__RANDOM_INT__', () => {
  it('is another integer at each place', () => {
    let last = 0;
    const json = {
      seed: '__RANDOM_INT__',
      nodes: [{ noise: '__RANDOM_INT__' }, 'fox-__RANDOM_INT__-__RANDOM_INT__', null, 1.5, true],
      quoted: 'a "__RANDOM_INT__" in quotes',
      opened: 'a "__RANDOM_INT__',
      __RANDOM_INT__: 'names stay',
    };
    for (const indent of [0, 2]) {
      last = 0;
      const text = withRandomIntegers(JSON.stringify(json, null, indent), () => ++last);
      expect(JSON.parse(text)).toEqual({
        seed: 1,
        nodes: [{ noise: 2 }, 'fox-3-4', null, 1.5, true],
        quoted: 'a "5" in quotes',
        opened: 'a "6',
        __RANDOM_INT__: 'names stay',
      });
    }
  });

  it('is from 0 to 2^32 - 1', () => {
    const text = withRandomIntegers(JSON.stringify(Array(1_000).fill('__RANDOM_INT__')));
    const seeds: number[] = JSON.parse(text);
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
    expect(new Set(seeds).size).toBeGreaterThan(990);
  });

  it('leaves all else as it was written: a seed of 64 bits keeps its digits', () => {
    const text = '{ "seed": 18446744073709551615, "n": 1.50, "prompt": "RANDOM_INT" }';
    expect(withRandomIntegers(text, () => 7)).toBe(text);
  });

  it('makes JSON of JSON, whatever it is', () => {
    const texts = fc
      .tuple(fc.string(), fc.string())
      .map(([before, after]) => `${before}__RANDOM_INT__${after}`);
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        texts,
        fc.constant('__RANDOM_INT__'),
        fc.array(tie('any')),
        fc.dictionary(texts, tie('any')),
      ),
    })).any;
    fc.assert(
      fc.property(value, fc.constantFrom(0, 2), (json, indent) => {
        const text = JSON.stringify(json, null, indent);
        expect(() => JSON.parse(withRandomIntegers(text, () => 7))).not.toThrow();
      }),
    );
  });
});
