import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { Changes } from '../../src/testing/models/changes.js';

/** Exactly the fields of a status of the current dialect: one more or one less is refused. */
const statusSchema = z.strictObject({
  id: z.int(),
  mtoken: z.string(),
  version: z.string(),
  loadtime: z.number().nonnegative(),
  new_load: z.number().nonnegative(),
  cur_load: z.number().nonnegative(),
  rej_load: z.number().nonnegative(),
  max_perf: z.number().nonnegative(),
  cur_perf: z.number().nonnegative(),
  error_msg: z.string(),
  num_requests_working: z.int().nonnegative(),
  num_requests_recieved: z.int().nonnegative(),
  additional_disk_usage: z.number(),
  working_request_idxs: z.array(z.int()),
  cur_capacity: z.literal(0),
  max_capacity: z.literal(0),
  url: z.string(),
});

/** Exactly the fields of finished requests in the newest form. */
const finishedSchema = z.strictObject({
  worker_id: z.int(),
  mtoken: z.string(),
  requests: z.array(
    z.strictObject({
      request_idx: z.int(),
      success: z.boolean(),
      status: z.enum(['Success', 'Error', 'Cancelled', 'Rejected']),
      entered_queue_at: z.number(),
      work_started_at: z.number(),
      work_completed_at: z.number(),
    }),
  ),
});

export type Status = z.infer<typeof statusSchema>;
export type Finished = z.infer<typeof finishedSchema>['requests'][number];

/** One request that a worker made, and how long after the start of the scribe, in ms. */
export interface Message {
  readonly method: string;
  readonly path: string;
  readonly contentType: string | undefined;
  readonly body: unknown;
  readonly atMs: number;
  /** Whether it was answered with 200. */
  acknowledged: boolean;
}

/**
 * How a message is answered: with a status, with nothing, by cutting the connection before or within the answer,
 * properly but not before it is released, properly after a while, if the worker is still there, or with 200 and
 * something else than it should be.
 */
export type Misdeed =
  | number
  | 'hang'
  | 'late'
  | 'reset'
  | 'cut'
  | { readonly afterMs: number }
  | { readonly says: string }
  | undefined;

/** What a signature says of a request. */
export interface Auth {
  readonly cost: number;
  readonly endpoint: string;
  readonly reqnum: number;
  readonly request_idx: number;
  readonly signature: string;
  readonly url: string;
}

/** Made once for each file of tests. */
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const otherKeys = () => generateKeyPairSync('rsa', { modulusLength: 2048 });

function pemOf({ publicKey }: typeof keys): string {
  return publicKey.export({ type: 'spki', format: 'pem' }).toString();
}

/** An autoscaler that writes down each message to the letter, and signs what it is asked to sign. */
export class Scribe {
  readonly messages: Message[] = [];
  /** Asked for each message how to answer it. */
  misdeed: (message: Message) => Misdeed = () => undefined;
  readonly #server: Server;
  readonly #changes = new Changes();
  readonly #startedAtMs = performance.now();
  #keys = keys;
  #pem = pemOf(keys);
  #lastIdx = 1_000;
  #heldBack: ServerResponse[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      void text(request).then((body) => {
        const { method = '', url: path = '', headers } = request;
        const message: Message = {
          method,
          path,
          contentType: headers['content-type'],
          body: body === '' ? undefined : JSON.parse(body),
          atMs: performance.now() - this.#startedAtMs,
          acknowledged: false,
        };
        this.messages.push(message);
        this.#answer(message, response);
        this.#changes.changed();
      });
    });
  }

  /** Ends with the test. */
  static async start(): Promise<Scribe> {
    const scribe = new Scribe();
    await new Promise<void>((resolve) => scribe.#server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      scribe.#server.closeAllConnections();
      await new Promise((resolve) => scribe.#server.close(resolve));
    });
    return scribe;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The bodies of the messages at a path, oldest first. */
  bodiesAt(path: string): unknown[] {
    return this.messages.filter((message) => message.path === path).map(({ body }) => body);
  }

  /** The statuses that were acknowledged, oldest first. */
  get statuses(): Status[] {
    return this.messages
      .filter(({ path, acknowledged }) => path === '/worker_status/' && acknowledged)
      .map(({ body }) => statusSchema.parse(body));
  }

  /** The finished requests that were told and acknowledged, oldest first. */
  get finished(): Finished[] {
    return this.messages
      .filter(({ path, acknowledged }) => path === '/delete_requests/' && acknowledged)
      .flatMap(({ body }) => finishedSchema.parse(body).requests);
  }

  /** Asked at once and after each message, until there is an answer. */
  until<T>(look: () => T | undefined | false): Promise<T> {
    return this.#changes.until(() => look() || undefined);
  }

  untilStatus(matches: (status: Status) => boolean): Promise<Status> {
    return this.until(() => this.statuses.find(matches));
  }

  /** A status that was cut after this call: by its acknowledgement the one before it was over. */
  async nextStatus(): Promise<Status> {
    const count = this.statuses.length;
    return this.until(() => this.statuses[count + 1]);
  }

  untilFinished(requestIdx: number): Promise<Finished> {
    return this.until(() => this.finished.find(({ request_idx }) => request_idx === requestIdx));
  }

  /** What a route's answer gives a client. Without more: signed, for this address, with an index of its own. */
  authFor(url: string, given: Partial<Auth> = {}): Auth {
    const { cost = 100, endpoint = 'my-endpoint', reqnum = 1, request_idx = ++this.#lastIdx } = given;
    const signature = given.signature ?? this.sign(`{\n    "url": ${JSON.stringify(given.url ?? url)}\n}`);
    return { cost, endpoint, reqnum, request_idx, signature, url: given.url ?? url };
  }

  /** RSA PKCS#1 v1.5 over SHA-256, in base64. */
  sign(signedText: string): string {
    return sign('sha256', Buffer.from(signedText), this.#keys.privateKey).toString('base64');
  }

  /** From now on another key is told and signs. */
  changeKey(): void {
    this.#keys = otherKeys();
    this.#pem = pemOf(this.#keys);
  }

  /** From now on this key is told, which is nobody's here. */
  tellKey(pem: string): void {
    this.#pem = pem;
  }

  /** Answers everybody who was left to wait. */
  releaseHeldBack(): void {
    for (const response of this.#heldBack.splice(0)) response.end('{"ok":true}');
  }

  #answer(message: Message, response: ServerResponse): void {
    const misdeed = this.misdeed(message);
    if (misdeed === 'hang') this.#heldBack.push(response);
    else if (misdeed === 'late') {
      message.acknowledged = true;
      this.#heldBack.push(response);
    } else if (misdeed === 'reset') response.socket?.resetAndDestroy();
    else if (misdeed === 'cut') {
      response.writeHead(200, { 'content-length': 11 }).write('{"ok"', () => response.socket?.destroy());
    } else if (typeof misdeed === 'object' && 'says' in misdeed) {
      message.acknowledged = true;
      response.end(misdeed.says);
    } else if (typeof misdeed === 'object') {
      const timer = setTimeout(() => this.#acknowledge(message, response), misdeed.afterMs);
      response.once('close', () => clearTimeout(timer));
    } else if (misdeed !== undefined) response.writeHead(misdeed).end('{}');
    else this.#acknowledge(message, response);
  }

  #acknowledge(message: Message, response: ServerResponse): void {
    message.acknowledged = true;
    response.end(message.path === '/pubkey/' ? this.#pem : '{"ok":true}');
  }
}

/** What a series of statuses comes to. */
export function sumsOf(statuses: readonly Status[]) {
  const sum = (field: 'new_load' | 'rej_load' | 'cur_perf') =>
    statuses.reduce((total, status) => total + status[field], 0);
  return { new_load: sum('new_load'), rej_load: sum('rej_load'), cur_perf: sum('cur_perf') };
}
