import { Agent, type Dispatcher, request } from 'undici';
import { within } from '../patience.js';

/** How much of an answer is read. Nothing in it is needed, and a wrong server may send without end. */
const ANSWER_LIMIT_BYTES = 64 * 1024;

/** Reports, finished requests and the key each have at most one message under way. */
const CONNECTIONS = 3;

/** The connections to autoscalers: their own, and given up early when an address does not answer. */
export function createReportAgent(connectTimeoutMs: number): Agent {
  return new Agent({ connections: CONNECTIONS, pipelining: 1, connect: { timeout: connectTimeoutMs } });
}

export interface Post {
  readonly dispatcher: Dispatcher;
  readonly url: string;
  readonly body: unknown;
  /** For the whole attempt, from the connection to the end of the answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** An answer other than 2xx. */
export class StatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`it answered with status ${status}`);
    this.status = status;
  }
}

/**
 * Posts JSON and resolves when a 2xx answer was read to its end.
 *
 * @throws {StatusError} when the answer had another status
 * @throws when there was none: refused, reset, too slow, aborted
 */
export async function post({ dispatcher, url, body, timeoutMs, signal }: Post): Promise<void> {
  await within(timeoutMs, signal, async (bounded) => {
    const response = await request(url, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: bounded,
    });
    await readToTheEnd(response.body);
    if (response.statusCode < 200 || response.statusCode > 299) throw new StatusError(response.statusCode);
  });
}

async function readToTheEnd(body: Dispatcher.ResponseData['body']): Promise<void> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += (chunk as Buffer).length;
    // Leaving the loop destroys the body, and its connection with it.
    if (bytes > ANSWER_LIMIT_BYTES) return;
  }
}
