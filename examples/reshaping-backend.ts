import { defineBackend, WorkerError } from 'tsworker';
import { z } from 'zod';

const generated = z.object({ generated_text: z.string() });

export default defineBackend({
  name: 'reshaping',
  maxPerf: 1000,
  model: { url: 'http://127.0.0.1:8080', health: '/health' },
  routes: {
    '/ask': {
      upstreamPath: '/generate',
      // What this returns is what the model server gets.
      parseRequest: z
        .object({ question: z.string().min(1), words: z.number().int().max(500).default(50) })
        .transform(({ question, words }) => ({
          inputs: question,
          parameters: { max_new_tokens: words * 2 },
        })),
      workload: ({ parameters }) => parameters.max_new_tokens,
      transformResponse: async (answer) => {
        if (answer.status !== 200) throw new WorkerError('model_failed');
        return { answer: generated.parse(await answer.json()).generated_text };
      },
    },
  },
});
