import { defineBackend, WorkerError } from 'tsworker';
import { z } from 'zod';

const completion = z.object({ choices: z.array(z.object({ text: z.string() })).min(1) });

/** Summaries, from a model server that completes texts. */
export default defineBackend({
  name: 'summaries',
  maxPerf: 1000,
  model: { url: 'http://127.0.0.1:8000', health: '/health' },
  routes: {
    '/summarise': {
      parallel: true,
      upstreamPath: '/v1/completions',
      parseRequest: z
        .object({ text: z.string().min(1), words: z.number().int().positive().max(200).default(50) })
        .transform(({ text, words }) => ({
          prompt: `Summarise in ${words} words:\n${text}`,
          max_tokens: 2 * words,
        })),
      workload: ({ max_tokens }) => max_tokens,
      transformResponse: async (answer) => {
        if (answer.status !== 200) throw new WorkerError('model_failed');
        return { summary: completion.parse(await answer.json()).choices[0]?.text };
      },
    },
  },
});
