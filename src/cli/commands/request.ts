import { Agent } from 'undici';
import { Serverless, ServerlessError } from '../../client/index.js';
import { duration, positive, url } from '../../config/types.js';
import { messageInLine } from '../../errors.js';
import { failureText } from '../../load/failure-text.js';
import { fetchThrough } from '../../load/fetch-through.js';
import { apiKeyOf } from '../api-key.js';
import { asUserError } from '../client-error.js';
import { EXIT, UserError } from '../exit.js';
import { type Io, print } from '../io.js';
import { parseOption } from '../options.js';

export interface RequestOptions {
  readonly autoscaler: string;
  readonly endpoint: string;
  readonly cost: string;
  readonly timeout: string;
  readonly apiKey?: string;
}

/** Who sits before it would rather see what a worker says than wait to the end of the time. */
const MAX_RETRIES = 3;

/** Sends one request as a client does, and prints the answer as it comes. Ctrl-C ends the process, and the worker's work. */
export async function request(path: string, json: string, options: RequestOptions, io: Io): Promise<number> {
  const autoscalerUrl = parseOption('--autoscaler', options.autoscaler, url);
  const cost = parseOption('--cost', options.cost, positive);
  const timeoutMs = parseOption('--timeout', options.timeout, duration);
  const apiKey = apiKeyOf(options.apiKey, io);
  if (!path.startsWith('/')) throw new UserError(`the path of a route begins with a slash: /${path}`);
  expectJson(json);
  // The one limit is --timeout.
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  const fetch = fetchThrough(agent);
  const endsAtMs = performance.now() + timeoutMs;
  try {
    const client = new Serverless({ apiKey, autoscalerUrl, timeout: timeoutMs, fetch });
    tellAttempts(client, options, io);
    const endpoint = await client.endpoint(options.endpoint);
    const timeout = Math.max(1, endsAtMs - performance.now());
    const decoder = new TextDecoder();
    for await (const piece of endpoint.bytes(path, json, { cost, timeout, maxRetries: MAX_RETRIES }))
      await print(decoder.decode(piece, { stream: true }), io);
    await print(`${decoder.decode()}\n`, io);
    return EXIT.ok.code;
  } catch (error) {
    if (error instanceof ServerlessError && error.worker !== undefined) await printBody(error.body, io);
    throw asUserError(error);
  } finally {
    await agent.destroy();
  }
}

/** What is waited for, each time that it is something else. */
function tellAttempts(client: Serverless, { autoscaler, timeout }: RequestOptions, { stderr }: Io): void {
  let told = '';
  const tell = (text: string) => {
    if (text !== told) stderr.write(`${text}\n`);
    told = text;
  };
  client.on('waiting', ({ status }) => tell(`no worker is ready yet: ${status}`));
  client.on('retry', ({ error }) => {
    const who =
      error.worker === undefined ? `the autoscaler at ${autoscaler}` : `the worker at ${error.worker}`;
    tell(`${who} was asked in vain (${failureText(error)}); trying again within ${timeout} (--timeout)`);
  });
}

/** What a worker said with an error is an answer as well. */
async function printBody(body: unknown, io: Io): Promise<void> {
  if (body === undefined) return;
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : body;
  await print(`${typeof text === 'string' ? text : JSON.stringify(text)}\n`, io);
}

function expectJson(payload: string): void {
  try {
    JSON.parse(payload);
  } catch (error) {
    throw new UserError(`the payload is not JSON: ${messageInLine(error)}.`);
  }
}
