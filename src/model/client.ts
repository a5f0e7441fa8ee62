import { text } from 'node:stream/consumers';
import { type Dispatcher, errors, Pool } from 'undici';
import type { Abortable } from '../cancellation.js';
import { messageOf, WorkerError } from '../errors.js';
import type { OpenAnswer, Sink, Upstream, UpstreamCall } from '../upstream.js';

export interface ModelClientOptions {
  /** Base address of the model server. */
  readonly url: string;
  /** As many as requests can be worked on at once; Infinity: as many as are needed. */
  readonly connections: number;
}

const CONNECT_TIMEOUT_MS = 5_000;

/** The connections over which clients' requests reach the model server. */
export class ModelClient implements Upstream {
  readonly #pool: Pool;
  readonly #basePath: string;
  #bytesReceived = 0;

  constructor({ url, connections }: ModelClientOptions) {
    const { origin, pathname } = new URL(url);
    this.#basePath = pathname.replace(/\/+$/, '');
    this.#pool = new Pool(origin, {
      connections: Number.isFinite(connections) ? connections : null,
      connect: { timeout: CONNECT_TIMEOUT_MS },
    });
  }

  /** How much the model server has sent so far: what grows shows that it is alive. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  stream(call: UpstreamCall, sink: Sink): Promise<number> {
    return new Promise((resolve, reject) => {
      const transfer = new Transfer(call, sink, resolve, reject, this.#onBytes);
      this.#pool.dispatch(this.#optionsOf(call), transfer);
    });
  }

  async request(call: UpstreamCall): Promise<OpenAnswer> {
    const deadline = new Deadline(call);
    try {
      const answer = await this.#pool.request({ ...this.#optionsOf(call), signal: deadline.signal });
      this.#onBytes(1);
      return answerOf(answer, deadline, this.#onBytes);
    } catch (error) {
      deadline.clear();
      throw explain(error, call.signal);
    }
  }

  /** Cuts every connection. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  readonly #onBytes = (bytes: number) => {
    this.#bytesReceived += bytes;
  };

  #optionsOf({ method, path, headers, body, timeouts }: UpstreamCall): Dispatcher.DispatchOptions {
    return {
      method: method as Dispatcher.HttpMethod,
      path: this.#basePath + path,
      headers,
      body,
      headersTimeout: limitOf(timeouts.firstByteMs),
      bodyTimeout: limitOf(timeouts.betweenBytesMs),
    };
  }
}

/** One answer on its way into its sink: it reads no faster than the sink takes, and settles once. */
class Transfer implements Dispatcher.DispatchHandler {
  readonly #call: UpstreamCall;
  readonly #sink: Sink;
  readonly #onBytes: (bytes: number) => void;
  readonly #resolve: (status: number) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #settled = false;

  constructor(
    call: UpstreamCall,
    sink: Sink,
    resolve: (status: number) => void,
    reject: (error: unknown) => void,
    onBytes: (bytes: number) => void,
  ) {
    this.#call = call;
    this.#sink = sink;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onBytes = onBytes;
    const { totalMs } = call.timeouts;
    if (Number.isFinite(totalMs)) this.#timer = setTimeout(() => this.#give(timeOut('in all')), totalMs);
    if (call.signal.aborted) this.#give(call.signal.reason);
    else call.signal.addEventListener('abort', this.#onAbort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(new Error('nobody waits for the answer'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    this.#onBytes(1);
    // What comes before the answer itself is for this hop alone.
    if (status < 200 || this.#settled) return;
    this.#status = status;
    this.#attempt(() => this.#sink.start(status, textsOf(controller.rawHeaders)));
    this.#sink.onDrain(() => controller.resume());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#onBytes(chunk.length);
    if (!this.#settled && !this.#sink.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (!this.#settle()) return;
    this.#sink.end();
    this.#resolve(this.#status);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#settle()) this.#reject(explain(error, this.#call.signal));
  }

  readonly #onAbort = () => this.#give(this.#call.signal.reason);

  /** A model server may send headers that can't be sent on. */
  #attempt(step: () => void): void {
    try {
      step();
    } catch (cause) {
      this.#give(new WorkerError('model_failed', undefined, { cause }));
    }
  }

  /** Gives the answer up, and the connection with it, so that the model server stops its work. */
  #give(reason: unknown): void {
    if (!this.#settle()) return;
    this.#controller?.abort(new Error('nobody waits for the answer'));
    this.#reject(reason);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#timer);
    this.#call.signal.removeEventListener('abort', this.#onAbort);
    return true;
  }
}

/** Ends a call when its signal does, or when its time is over. */
class Deadline {
  readonly #call: UpstreamCall;
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(call: UpstreamCall) {
    this.#call = call;
    const { signal, timeouts } = call;
    if (Number.isFinite(timeouts.totalMs)) {
      this.#timer = setTimeout(() => this.#controller.abort(timeOut('in all')), timeouts.totalMs);
    }
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get call(): UpstreamCall {
    return this.#call;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#call.signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = () => this.#controller.abort(this.#call.signal.reason);
}

function answerOf(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  deadline: Deadline,
  onBytes: (bytes: number) => void,
): OpenAnswer {
  body.once('close', () => deadline.clear());
  const readText = () => text(piecesOf(body, deadline, onBytes));
  return {
    status: statusCode,
    headers,
    body: piecesOf(body, deadline, onBytes),
    json: async () => parseJson(await readText()),
    text: readText,
    discard: () => void body.destroy(),
  };
}

async function* piecesOf(
  body: Dispatcher.ResponseData['body'],
  { call }: Deadline,
  onBytes: (bytes: number) => void,
): AsyncIterable<Uint8Array> {
  if (body.bodyUsed) throw new TypeError('the body of an answer can be read once');
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      onBytes(piece.length);
      yield piece;
    }
  } catch (error) {
    throw explain(error, call.signal);
  }
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new WorkerError('model_failed', 'The model server did not answer JSON.', { cause });
  }
}

/** What a client may be told of an error on the way to the model server, or the reason of its own abort. */
function explain(error: unknown, signal: Abortable): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof WorkerError) return error;
  if (error instanceof errors.HeadersTimeoutError) return timeOut('to its first byte', error);
  if (error instanceof errors.BodyTimeoutError) return timeOut('between two pieces of its answer', error);
  return new WorkerError('model_failed', undefined, {
    cause: new Error(`the model server failed: ${messageOf(error)}`, { cause: error }),
  });
}

function timeOut(where: string, cause?: Error): WorkerError {
  return new WorkerError('model_timeout', `The model server took longer than this route allows ${where}.`, {
    cause,
  });
}

/** undici takes 0 for no limit. */
function limitOf(ms: number): number {
  return Number.isFinite(ms) ? ms : 0;
}

/** Headers are bytes, of which each is one character of Latin-1. */
function textsOf(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return Object.entries(raw ?? {}).flatMap(([name, value]) => [name, String(value)]);
  return raw.map((each: Buffer | string) => (typeof each === 'string' ? each : each.toString('latin1')));
}
