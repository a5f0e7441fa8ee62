import { Agent, type Dispatcher, request } from 'undici';
import type { Method } from '../backend/types.js';
import { messageOf } from '../errors.js';
import { pathOn } from '../net/address.js';
import { Patience } from '../patience.js';
import type { Send, Sent } from './benchmark.js';
import { whyNotReached } from './refused.js';

export interface BenchmarkSenderOptions {
  /** The base address of the model server. */
  readonly baseUrl: string;
  readonly path: string;
  readonly method: Method;
  /** Left out: no limit. */
  readonly timeouts: {
    /** To the headers of an answer. */
    readonly firstByteMs?: number;
    /** Between two pieces of an answer. */
    readonly betweenBytesMs?: number;
    /** For the whole of a request. */
    readonly totalMs?: number;
  };
}

export interface BenchmarkSender {
  readonly send: Send;
  close(): Promise<void>;
}

/** How much of an answer is told where it is an error. */
const EXCERPT_BYTES = 300;

/** The server is not there yet, or does not take connections yet. */
const NOT_THERE = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];

/** What a model server answers that is there and still loads its model. */
const LOADING_STATUS = 503;

/** Sends requests to a model server over connections of their own, and reads each answer to its end. */
export function createBenchmarkSender(options: BenchmarkSenderOptions): BenchmarkSender {
  // The time-outs are kept here: those of the dispatcher are rough, and say nothing of how long they were.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  const url = pathOn(options.baseUrl, options.path);
  return {
    async send(body, signal) {
      const patience = new Patience(signal);
      try {
        return await sendOne({ ...options, url, dispatcher }, body, patience);
      } catch (error) {
        const { aborted, reason: limit } = patience.signal;
        const reason = aborted ? messageOf(limit) : whyNotReached(error);
        return { ok: false, reason, notReady: isNotThere(error) };
      } finally {
        patience.end();
      }
    },
    close: () => dispatcher.destroy(),
  };
}

async function sendOne(
  { url, dispatcher, method, timeouts }: BenchmarkSenderOptions & { url: string; dispatcher: Dispatcher },
  body: unknown,
  patience: Patience,
): Promise<Sent> {
  patience.limit('total', timeouts.totalMs, 'no end of the answer');
  patience.limit('piece', timeouts.firstByteMs, 'no answer');
  const response = await request(url, {
    dispatcher,
    method,
    signal: patience.signal,
    ...(method === 'GET'
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const excerpt: Buffer[] = [];
  let kept = 0;
  patience.limit('piece', timeouts.betweenBytesMs, 'no more of the answer');
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    patience.limit('piece', timeouts.betweenBytesMs, 'no more of the answer');
    if (kept < EXCERPT_BYTES) excerpt.push(chunk.subarray(0, EXCERPT_BYTES - kept));
    kept += chunk.length;
  }
  const { statusCode } = response;
  if (statusCode >= 200 && statusCode <= 299) return { ok: true };
  const said = Buffer.concat(excerpt).toString('utf8').trim();
  return {
    ok: false,
    reason: `it answered with status ${statusCode}${said === '' ? '' : `: ${said}`}`,
    notReady: statusCode === LOADING_STATUS,
  };
}

function isNotThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NOT_THERE.includes(String(error.code));
}
