import { text } from 'node:stream/consumers';
import { type Dispatcher, errors, Pool } from 'undici';
import type { Abortable } from '../cancellation.js';
import { messageOf, WorkerError } from '../errors.js';
import { Patience } from '../patience.js';
import type { OpenAnswer, Sink, Upstream, UpstreamCall } from '../upstream.js';
import { Connections } from './connections.js';
import { isRefused } from './refused.js';

export interface ModelClientOptions {
  /** Base address of the model server. */
  readonly url: string;
  /** As many as requests can be worked on at once; Infinity: as many as are needed. */
  readonly connections: number;
  /** A request found nobody who listens there. */
  readonly onRefused: () => void;
}

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * How long an idle connection is kept where the model server does not say how long it keeps its own; where it does,
 * undici stays two seconds below that. A request that goes out just as the server closes fails, and can't be sent
 * again, since it may have been read. No usual server closes so early, and who is busy uses its connections sooner.
 */
const KEEP_ALIVE_MS = 500;

/** The connections over which clients' requests reach the model server. */
export class ModelClient implements Upstream {
  readonly #pool: Pool;
  readonly #basePath: string;
  readonly #connections = new Connections(CONNECT_TIMEOUT_MS);
  readonly #onRefused: () => void;
  #bytesReceived = 0;

  constructor({ url, connections, onRefused }: ModelClientOptions) {
    const { origin, pathname } = new URL(url);
    this.#basePath = pathname.replace(/\/+$/, '');
    this.#pool = new Pool(origin, {
      connections: Number.isFinite(connections) ? connections : null,
      connect: this.#connections.connect,
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
    this.#onRefused = onRefused;
  }

  /** How much the model server has sent so far: what grows shows that it is alive. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  stream(call: UpstreamCall, sink: Sink): Promise<number> {
    return new Promise((resolve, reject) => {
      const onUnanswered = (error: unknown) => reject(this.#explainUnanswered(error, call.signal));
      const transfer = new Transfer(call, sink, resolve, reject, onUnanswered, this.#onBytes);
      this.#pool.dispatch(this.#optionsOf(call), transfer);
    });
  }

  async request(call: UpstreamCall): Promise<OpenAnswer> {
    const patience = new Patience(call.signal);
    patience.limit('total', call.timeouts.totalMs, () => timeOut('in all'));
    const { firstByteMs } = call.timeouts;
    // What comes before an answer begins undici's own limit anew, and so could put it off for ever.
    const onInfo = once(() => patience.limit('first byte', firstByteMs, () => timeOut('to its first byte')));
    try {
      const options = { ...this.#optionsOf(call), signal: patience.signal, onInfo };
      const answer = await this.#pool.request(options);
      patience.limit('first byte', undefined, '');
      this.#onBytes(1);
      answer.body.once('close', () => patience.end());
      return answerOf(answer, call.signal, this.#onBytes);
    } catch (error) {
      patience.end();
      throw this.#explainUnanswered(error, call.signal);
    }
  }

  /** Cuts every connection. */
  async close(): Promise<void> {
    await this.#pool.destroy();
    this.#connections.close();
  }

  readonly #onBytes = (bytes: number) => {
    this.#bytesReceived += bytes;
  };

  /** What a client may be told of an error that came before the answer began. */
  #explainUnanswered(error: unknown, signal: Abortable): unknown {
    if (isRefused(error)) this.#onRefused();
    if (signal.aborted || !this.#connections.wasKeptAndClosed(error)) return explain(error, signal);
    const reason = `the model server closed a connection that it had kept open: ${messageOf(error)}`;
    return new WorkerError('model_gone', undefined, { cause: new Error(reason, { cause: error }) });
  }

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
  readonly #onUnanswered: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout | undefined;
  #firstByteTimer: NodeJS.Timeout | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #settled = false;

  constructor(
    call: UpstreamCall,
    sink: Sink,
    resolve: (status: number) => void,
    reject: (error: unknown) => void,
    onUnanswered: (error: unknown) => void,
    onBytes: (bytes: number) => void,
  ) {
    this.#call = call;
    this.#sink = sink;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#onUnanswered = onUnanswered;
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
    if (this.#settled) return;
    if (status < 200) {
      // What comes before the answer itself is for this hop alone.
      this.#limitTheWait();
      return;
    }
    clearTimeout(this.#firstByteTimer);
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
    if (!this.#settle()) return;
    if (this.#status === 0) this.#onUnanswered(error);
    else this.#reject(explain(error, this.#call.signal));
  }

  readonly #onAbort = () => this.#give(this.#call.signal.reason);

  /** As for a request that is not streamed: from the first of what comes before the answer. */
  #limitTheWait(): void {
    const { firstByteMs } = this.#call.timeouts;
    if (!Number.isFinite(firstByteMs)) return;
    this.#firstByteTimer ??= setTimeout(() => this.#give(timeOut('to its first byte')), firstByteMs);
  }

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
    clearTimeout(this.#firstByteTimer);
    this.#call.signal.removeEventListener('abort', this.#onAbort);
    return true;
  }
}

function answerOf(
  { statusCode, headers, body }: Dispatcher.ResponseData,
  signal: Abortable,
  onBytes: (bytes: number) => void,
): OpenAnswer {
  const readText = () => text(piecesOf(body, signal, onBytes));
  return {
    status: statusCode,
    headers,
    body: piecesOf(body, signal, onBytes),
    json: async () => parseJson(await readText()),
    text: readText,
    // What is given up is an error to undici, though it was received in full.
    discard: () => void body.on('error', () => {}).destroy(),
  };
}

async function* piecesOf(
  body: Dispatcher.ResponseData['body'],
  signal: Abortable,
  onBytes: (bytes: number) => void,
): AsyncIterable<Uint8Array> {
  if (body.bodyUsed) throw new TypeError('the body of an answer can be read once');
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      onBytes(piece.length);
      yield piece;
    }
  } catch (error) {
    throw explain(error, signal);
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

function once(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) act();
    done = true;
  };
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
