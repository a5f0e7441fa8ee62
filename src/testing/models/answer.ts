import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { constants, createGzip, gzipSync } from 'node:zlib';
import type { Behaviour } from './behaviour.js';
import { Cut } from './generate.js';

/** Every value that a byte can have: text is spoilt by whoever takes it for text. */
export const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, value) => value));

const JSON_TYPE = 'application/json';
const EVENTS_TYPE = 'text/event-stream; charset=utf-8';
const BINARY_TYPE = 'application/octet-stream';

/** Headers between two neighbours, and one that is for whoever is at the end. */
const HOP_BY_HOP = {
  Connection: 'keep-alive, X-Hop',
  'Keep-Alive': 'timeout=5, max=100',
  'Proxy-Authenticate': 'Basic realm="fake"',
  'X-Hop': 'only for the neighbour',
  'X-End-To-End': 'for the client',
} as const;

/**
 * Answers a value as JSON, in one piece.
 *
 * @throws {Cut} when half of it is to be sent, and was
 */
export async function answerJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  how: Behaviour,
  tokens = 0,
): Promise<void> {
  await answerBytes(response, status, JSON_TYPE, Buffer.from(JSON.stringify(value)), how, tokens);
}

/** @throws as {@link answerJson} */
export async function answerBinary(response: ServerResponse, tokens: number, how: Behaviour): Promise<void> {
  const bytes = Buffer.concat(Array.from({ length: tokens }, () => ALL_BYTES));
  await answerBytes(response, 200, BINARY_TYPE, bytes, how, tokens);
}

async function answerBytes(
  response: ServerResponse,
  status: number,
  type: string,
  bytes: Buffer,
  how: Behaviour,
  tokens: number,
): Promise<void> {
  const body = how.gzip ? gzipSync(bytes) : bytes;
  // A trailer needs a body in chunks, which has no length.
  const length = how.trailers ? {} : { 'Content-Length': body.length };
  response.writeHead(status, { ...headersOf(type, how), ...length });
  if (how.trailers) response.addTrailers({ 'X-Tokens': String(tokens) });
  if (how.halfBody) {
    await new Promise<void>((resolve) => response.write(body.subarray(0, body.length / 2), () => resolve()));
    throw new Cut();
  }
  response.end(body);
}

/** A streamed answer, whose headers go with its first event. */
export class Stream {
  readonly #response: ServerResponse;
  readonly #how: Behaviour;
  #out: Writable | undefined;

  constructor(response: ServerResponse, how: Behaviour) {
    this.#response = response;
    this.#how = how;
  }

  /** Resolves when the event is on its way, or when nobody is left to read it. */
  async write(event: string | Buffer): Promise<void> {
    const out = this.#begun();
    await new Promise<void>((resolve) => out.write(event, () => resolve()));
  }

  end(last: string, tokens: number): void {
    const out = this.#begun();
    if (this.#how.trailers) this.#response.addTrailers({ 'X-Tokens': String(tokens) });
    out.end(last);
  }

  #begun(): Writable {
    if (this.#out !== undefined) return this.#out;
    const { gzip, binary } = this.#how;
    this.#response.writeHead(200, headersOf(binary ? BINARY_TYPE : EVENTS_TYPE, this.#how));
    this.#out = this.#response;
    if (gzip) {
      this.#out = createGzip({ flush: constants.Z_SYNC_FLUSH });
      this.#out.pipe(this.#response);
    }
    return this.#out;
  }
}

function headersOf(type: string, { gzip, trailers, hopByHop }: Behaviour): Record<string, string> {
  return {
    'Content-Type': type,
    ...(gzip && { 'Content-Encoding': 'gzip' }),
    ...(trailers && { Trailer: 'X-Tokens' }),
    ...(hopByHop && HOP_BY_HOP),
  };
}
