import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Changes } from '../../src/testing/models/changes.js';
import { serveModel } from './model-server.js';

/** What a request says of the answer that it wants, and how much work it is. */
const wish = z.object({
  /**
   * whole: after a while; stream: in pieces; stall: pieces that end after the third; held: nothing before it is
   * released; error: with a status; death: a connection that is lost in the middle.
   */
  ask: z.enum(['whole', 'stream', 'stall', 'held', 'error', 'death']),
  /** Units of work. It is the name of the request too: no two have the same. */
  units: z.number(),
  ms: z.number().default(0),
  status: z.number().default(500),
});

export type Wish = z.input<typeof wish>;

export function unitsOf(body: unknown): number {
  return wish.parse(body).units;
}

/** A model server that does to each request what it asks for, so that its client knows how it must end. */
export class StormModel {
  readonly #held: ServerResponse[] = [];
  readonly #reached = new Set<number>();
  readonly #changes = new Changes();
  #url = '';

  /** Ends with the test. */
  static async start(): Promise<StormModel> {
    const model = new StormModel();
    const { url } = await serveModel((request, response) => {
      model.#take(request, response).catch(() => response.destroy());
    });
    model.#url = url;
    return model;
  }

  get url(): string {
    return this.#url;
  }

  /** Resolves when the request of so many units is here. */
  async untilReached(units: number): Promise<void> {
    await this.#changes.until(() => this.#reached.has(units) || undefined);
  }

  has(units: number): boolean {
    return this.#reached.has(units);
  }

  /** Answers those who are held. */
  release(): void {
    for (const response of this.#held.splice(0)) response.end('{"was":"held"}');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/health') {
      response.end('{}');
      return;
    }
    const asked = wish.parse(JSON.parse(await text(request)));
    this.#reached.add(asked.units);
    this.#changes.changed();
    await this.#answer(asked, response);
  }

  async #answer({ ask, ms, status }: z.infer<typeof wish>, response: ServerResponse): Promise<void> {
    if (ask === 'held') {
      this.#held.push(response);
      return;
    }
    if (ask === 'stream' || ask === 'stall' || ask === 'death') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let piece = 0; piece < 3; piece++) {
        response.write(`data: ${piece}\n\n`);
        await sleep(ms / 3);
      }
      if (ask === 'stream') response.end('data: [DONE]\n\n');
      if (ask === 'death') response.destroy();
      return;
    }
    await sleep(ms);
    response.writeHead(ask === 'error' ? status : 200, { 'content-type': 'application/json' }).end('{}');
  }
}
