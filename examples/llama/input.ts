import { BadRequest } from './bad-request.js';

/** What a request asks for, with whatever it left open filled in. */
export interface Input {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topP: number | undefined;
  readonly seed: number | undefined;
  readonly stop: readonly string[];
  readonly stream: boolean;
  /** The stream ends with an event that tells the usage. */
  readonly streamUsage: boolean;
}

type JsonObject = Readonly<Record<string, unknown>>;

const DEFAULT_MAX_TOKENS = 64;
const MOST_TOKENS = 100_000;
const DEFAULT_TEMPERATURE = 0.8;

/** @throws {BadRequest} which says what is wrong */
export function completionInput(json: string): Input {
  const body = parse(json);
  if (typeof body.prompt !== 'string') throw new BadRequest('prompt: expected a text.');
  return { prompt: body.prompt, maxTokens: maxTokens(body, 'max_tokens'), ...common(body) };
}

/**
 * A model this small was never taught to talk: it goes on with what was said.
 *
 * @throws {BadRequest} which says what is wrong
 */
export function chatInput(json: string): Input {
  const body = parse(json);
  const { messages } = body;
  if (!Array.isArray(messages) || messages.length === 0) {
    throw new BadRequest('messages: expected a list of at least one message.');
  }
  const newer = body.max_completion_tokens !== undefined && body.max_completion_tokens !== null;
  return {
    prompt: messages.map(contentOf).join('\n'),
    maxTokens: maxTokens(body, newer ? 'max_completion_tokens' : 'max_tokens'),
    ...common(body),
  };
}

function parse(json: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new BadRequest('The body is not JSON.');
  }
  if (!isObject(value)) throw new BadRequest('The body is not a JSON object.');
  return value;
}

function common(body: JsonObject): Omit<Input, 'prompt' | 'maxTokens'> {
  const { n = 1, stream = false, stream_options: streamOptions } = body;
  if (n !== 1 && n !== null) throw new BadRequest('n: only 1 is served.');
  if (typeof stream !== 'boolean') throw new BadRequest('stream: expected true or false.');
  return {
    temperature: number(body, 'temperature', 0, 2) ?? DEFAULT_TEMPERATURE,
    topP: number(body, 'top_p', 0, 1),
    seed: integer(body, 'seed', 0, 2 ** 32 - 1),
    stop: stopOf(body.stop),
    stream,
    streamUsage: isObject(streamOptions) && streamOptions.include_usage === true,
  };
}

function maxTokens(body: JsonObject, name: string): number {
  return integer(body, name, 1, MOST_TOKENS) ?? DEFAULT_MAX_TOKENS;
}

function number(body: JsonObject, name: string, least: number, most: number): number | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || value < least || value > most) {
    throw new BadRequest(`${name}: expected a number from ${least} to ${most}.`);
  }
  return value;
}

function integer(body: JsonObject, name: string, least: number, most: number): number | undefined {
  const value = number(body, name, least, most);
  if (value !== undefined && !Number.isInteger(value)) {
    throw new BadRequest(`${name}: expected a whole number.`);
  }
  return value;
}

function stopOf(given: unknown): readonly string[] {
  const stop: readonly unknown[] = Array.isArray(given) ? given : [given ?? []].flat();
  const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
  if (stop.length > 4 || !stop.every(isText)) {
    throw new BadRequest('stop: expected a text, or up to four.');
  }
  return stop;
}

/** A text, or parts of which each is one. */
function contentOf(message: unknown, index: number): string {
  const content = isObject(message) ? message.content : undefined;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [{ text: content }];
  const texts = parts.flatMap((part) => (isObject(part) && typeof part.text === 'string' ? part.text : []));
  if (texts.length !== parts.length || parts.length === 0) {
    throw new BadRequest(`messages[${index}].content: expected a text.`);
  }
  return texts.join('');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
