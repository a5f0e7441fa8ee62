import { asFailure, isJson, isText, type Peer, readBody, unexpected } from './answers.js';
import { reasonOf } from './errors.js';
import type { Leash } from './leash.js';
import { Lines } from './lines.js';
import { SseReader } from './sse.js';

/** One event of a streamed answer. */
export interface StreamEvent<T = unknown> {
  /** Of server-sent events their name; `message` where there is none. */
  readonly event: string;
  /** Of server-sent events the last id that was told; else empty. */
  readonly id: string;
  /** Parsed where it is JSON, text where it is text, else bytes; or what `parse` made of that. */
  readonly data: T;
}

/** What a JSON text sequence has before each record. */
const RECORD_SEPARATOR = '\u001E';

/** What OpenAI's streams end with. */
const END_MARK = '[DONE]';

/**
 * The events of an answer as they come: server-sent events, lines of JSON, else the pieces of the body. An answer that
 * is one piece of JSON is one event.
 *
 * @throws {ServerlessError} when the answer is cut, or is not what it says to be
 */
export async function* eventsOf(
  response: Response,
  leash: Leash,
  peer: Peer,
): AsyncGenerator<StreamEvent, void> {
  const type = response.headers.get('content-type') ?? '';
  if (isJson(type)) {
    yield { event: 'message', id: '', data: await readBody(response, leash, peer) };
    return;
  }
  try {
    if (/^text\/event-stream\b/i.test(type)) yield* serverSentEvents(response);
    else if (isLines(type)) yield* linesOfJson(response);
    else if (isText(type)) yield* piecesOf(textOf(response));
    else yield* piecesOf(chunksOf(response));
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof RangeError) {
      throw unexpected(peer, `a stream that can not be read (${reasonOf(thrown)})`, { cause: thrown });
    }
    throw asFailure(thrown, leash, peer);
  }
}

/** The bytes of an answer as they come, whatever they are. */
export async function* bytesOf(
  response: Response,
  leash: Leash,
  peer: Peer,
): AsyncGenerator<Uint8Array, void> {
  try {
    yield* chunksOf(response);
  } catch (thrown) {
    throw asFailure(thrown, leash, peer);
  }
}

function isLines(type: string): boolean {
  return /^application\/(x-ndjson|ndjson|jsonl|x-jsonlines|json-lines|json-seq)\b/i.test(type);
}

async function* serverSentEvents(response: Response): AsyncGenerator<StreamEvent, void> {
  const reader = new SseReader();
  for await (const piece of textOf(response)) yield* reader.push(piece).flatMap(parsed);
  yield* reader.end().flatMap(parsed);
}

function parsed({ data, ...rest }: { event: string; id: string; data: string }): StreamEvent[] {
  return data === END_MARK ? [] : [{ ...rest, data: jsonOrText(data) }];
}

/** What is no JSON stands for itself: the data of an event may be any text. */
function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function* linesOfJson(response: Response): AsyncGenerator<StreamEvent, void> {
  const lines = new Lines();
  const event = (line: string): StreamEvent[] => {
    const text = (line.startsWith(RECORD_SEPARATOR) ? line.slice(1) : line).trim();
    return text === '' ? [] : [{ event: 'message', id: '', data: JSON.parse(text) }];
  };
  for await (const piece of textOf(response)) {
    // Each by itself: what came before one that can't be read is not lost with it.
    for (const line of lines.push(piece)) yield* event(line);
  }
  yield* event(lines.end() ?? '');
}

async function* piecesOf(pieces: AsyncIterable<unknown>): AsyncGenerator<StreamEvent, void> {
  for await (const data of pieces) yield { event: 'message', id: '', data };
}

async function* textOf(response: Response): AsyncGenerator<string, void> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for await (const bytes of chunksOf(response)) {
    const text = decoder.decode(bytes, { stream: true });
    if (text !== '') yield text;
  }
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}

/** Not every browser can iterate over a body. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array, void> {
  const reader = body?.getReader();
  if (reader === undefined) return;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
