import { countIn, type EngineFacts, type Generation, type JsonObject, type Kind, objectIn } from './kind.js';

/** When all answers were made: they are the same in each run. */
const CREATED = 1_700_000_000;
const EMBEDDING = [0.25, -0.5, 0.125, 1];

/** What vLLM, SGLang, llama.cpp and ollama have in common. */
export const openai: Kind = {
  preset: 'vllm',
  // The second is where ollama says that it runs.
  health: ['/health', '/'],
  facts: {
    '/v1/models': ({ modelName }) => ({
      object: 'list',
      data: [{ id: modelName, object: 'model', created: CREATED, owned_by: 'tsworker' }],
    }),
  },
  work: {
    '/v1/completions': (body, facts) =>
      generation(body, countIn(body, 'max_tokens'), {
        id: `cmpl-${facts.requestId}`,
        modelName: facts.modelName,
        object: 'text_completion',
        chunkObject: 'text_completion',
        choice: (text) => ({ text }),
        delta: (text) => ({ text }),
      }),
    '/v1/chat/completions': (body, facts) =>
      generation(body, countIn(body, 'max_completion_tokens') ?? countIn(body, 'max_tokens'), {
        id: `chatcmpl-${facts.requestId}`,
        modelName: facts.modelName,
        object: 'chat.completion',
        chunkObject: 'chat.completion.chunk',
        choice: (content) => ({ message: { role: 'assistant', content } }),
        delta: (content, index) => ({
          delta: index === 0 ? { role: 'assistant', content } : { content },
        }),
      }),
    '/v1/embeddings': embeddings,
  },
  error: (status, message) => ({ error: { message, type: 'fake_error', param: null, code: status } }),
};

/** Where completions and chats differ. */
interface Form {
  readonly id: string;
  readonly modelName: string;
  readonly object: string;
  readonly chunkObject: string;
  choice(text: string): JsonObject;
  delta(text: string, index: number): JsonObject;
}

function generation(body: JsonObject, asked: number | undefined, form: Form): Generation {
  const head = (object: string) => ({ id: form.id, object, created: CREATED, model: form.modelName });
  const chunk = (fields: JsonObject) => event({ ...head(form.chunkObject), ...fields });
  const whole = (tokens: readonly string[]) => ({
    ...head(form.object),
    choices: [{ index: 0, ...form.choice(tokens.join('')), logprobs: null, finish_reason: 'length' }],
    usage: usage(body, tokens.length),
  });
  if (body.stream !== true) return { asked, whole };
  const withUsage = objectIn(body, 'stream_options').include_usage === true;
  return {
    asked,
    whole,
    stream: {
      event: (token, index, isLast) =>
        chunk({
          choices: [{ index: 0, ...form.delta(token, index), finish_reason: isLast ? 'length' : null }],
        }),
      end: (tokens) =>
        `${withUsage ? chunk({ choices: [], usage: usage(body, tokens.length) }) : ''}data: [DONE]\n\n`,
    },
  };
}

function embeddings(body: JsonObject, { modelName }: EngineFacts): Generation {
  const inputs = Array.isArray(body.input) ? body.input : [body.input];
  return {
    asked: 0,
    whole: () => ({
      object: 'list',
      data: inputs.map((_input, index) => ({ object: 'embedding', index, embedding: EMBEDDING })),
      model: modelName,
      usage: usage(body, 0),
    }),
  };
}

/** A prompt is taken to have a token for every four characters. */
function usage(body: JsonObject, generated: number) {
  const prompt = JSON.stringify(body.prompt ?? body.messages ?? body.input ?? '');
  const promptTokens = Math.ceil(prompt.length / 4);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: generated,
    total_tokens: promptTokens + generated,
  };
}

function event(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
