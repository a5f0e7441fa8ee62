import type { Generated } from './engine.js';

/** How an answer is written down: completions and chats differ in their names only. */
export interface Form {
  readonly idPrefix: string;
  readonly object: string;
  readonly chunkObject: string;
  choice(text: string): object;
  /** What one event of a stream adds. */
  delta(text: string): object;
}

export const COMPLETION: Form = {
  idPrefix: 'cmpl',
  object: 'text_completion',
  chunkObject: 'text_completion',
  choice: (text) => ({ text }),
  delta: (text) => ({ text }),
};

export const CHAT: Form = {
  idPrefix: 'chatcmpl',
  object: 'chat.completion',
  chunkObject: 'chat.completion.chunk',
  choice: (content) => ({ message: { role: 'assistant', content } }),
  delta: (content) => ({ delta: { role: 'assistant', content } }),
};

export interface Answering {
  readonly form: Form;
  readonly id: number;
  readonly modelName: string;
  readonly promptTokens: number;
}

export function wholeAnswer(answering: Answering, { text, tokens, finishReason }: Generated): object {
  const { form } = answering;
  return {
    ...head(answering, form.object),
    choices: [{ index: 0, ...form.choice(text), logprobs: null, finish_reason: finishReason }],
    usage: usage(answering, tokens),
  };
}

export function textEvent(answering: Answering, text: string): string {
  return chunk(answering, { choices: [{ index: 0, ...answering.form.delta(text), finish_reason: null }] });
}

/** What follows the last text. */
export function endEvents(
  answering: Answering,
  { tokens, finishReason }: Generated,
  withUsage: boolean,
): string {
  const end = chunk(answering, {
    choices: [{ index: 0, ...answering.form.delta(''), finish_reason: finishReason }],
  });
  const told = withUsage ? chunk(answering, { choices: [], usage: usage(answering, tokens) }) : '';
  return `${end}${told}data: [DONE]\n\n`;
}

export function errorEvent(message: string): string {
  return `data: ${JSON.stringify(errorBody(500, message))}\n\n`;
}

export function errorBody(status: number, message: string): object {
  const type = status === 503 ? 'unavailable_error' : status < 500 ? 'invalid_request_error' : 'server_error';
  return { error: { code: status, message, type } };
}

function chunk(answering: Answering, fields: object): string {
  return `data: ${JSON.stringify({ ...head(answering, answering.form.chunkObject), ...fields })}\n\n`;
}

function head({ form, id, modelName }: Answering, object: string): object {
  return {
    id: `${form.idPrefix}-${id}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model: modelName,
  };
}

function usage({ promptTokens }: Answering, tokens: number): object {
  return { prompt_tokens: promptTokens, completion_tokens: tokens, total_tokens: promptTokens + tokens };
}
