import { countIn, type Generation, type JsonObject, type Kind, objectIn } from './kind.js';

/** Text Generation Inference. */
export const tgi: Kind = {
  preset: 'tgi',
  health: ['/health'],
  facts: {
    '/info': ({ modelName }) => ({
      model_id: modelName,
      max_concurrent_requests: 128,
      max_input_tokens: 4095,
      max_total_tokens: 4096,
      version: '3.0.0',
    }),
  },
  work: {
    '/generate': (body) => ({
      asked: askedBy(body),
      whole: (tokens) => ({
        generated_text: tokens.join(''),
        ...(objectIn(body, 'parameters').details === true && {
          details: { ...details(tokens.length), prefill: [], tokens: tokens.map(describe) },
        }),
      }),
    }),
    '/generate_stream': generateStream,
  },
  error: (status, message) => ({
    error: message,
    error_type: status === 429 ? 'overloaded' : status < 500 ? 'validation' : 'generation',
  }),
};

/** A stream has no closing mark: its last event brings the whole text. */
function generateStream(body: JsonObject): Generation {
  return {
    asked: askedBy(body),
    whole: (tokens) => ({ generated_text: tokens.join('') }),
    stream: {
      event: (token, index, isLast, tokens) => {
        const value = {
          index: index + 1,
          token: describe(token, index),
          generated_text: isLast ? tokens.join('') : null,
          details: isLast ? { ...details(tokens.length), input_length: 1 } : null,
        };
        return `data:${JSON.stringify(value)}\n\n`;
      },
      end: () => '',
    },
  };
}

function askedBy(body: JsonObject): number | undefined {
  return countIn(objectIn(body, 'parameters'), 'max_new_tokens');
}

function describe(text: string, index: number) {
  return { id: index + 1, text, logprob: -0.5, special: false };
}

function details(generated: number) {
  return { finish_reason: 'length', generated_tokens: generated, seed: null };
}
