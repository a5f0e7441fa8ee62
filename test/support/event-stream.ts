import { onTestFinished } from 'vitest';
import type { StreamEvents } from '../../src/inspect/contract.js';
import { type ServerSent, serverSentEvents } from '../../src/inspect/event-stream.js';

type Name = keyof StreamEvents;

export interface Told<N extends Name = Name> {
  readonly event: N;
  readonly id: number;
  readonly data: StreamEvents[N];
}

/** Somebody who looks at a worker, until the test ends. */
export class Looker {
  readonly told: Told[] = [];
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  readonly #leaving = new AbortController();
  readonly #watchers = new Set<() => void>();

  private constructor(events: AsyncIterable<ServerSent>, leaving: AbortController) {
    this.#leaving = leaving;
    this.ended = this.#read(events);
  }

  static async look(port: number, query = '', headers: Record<string, string> = {}): Promise<Looker> {
    const leaving = new AbortController();
    const url = `http://127.0.0.1:${port}/inspect/events${query}`;
    const response = await fetch(url, { headers, signal: leaving.signal });
    if (response.status !== 200 || response.body === null) throw new Error(`it answered ${response.status}`);
    const looker = new Looker(serverSentEvents(response.body), leaving);
    onTestFinished(() => looker.leave());
    return looker;
  }

  /** What was told under this name. */
  of<N extends Name>(name: N): Told<N>[] {
    return this.told.filter((each): each is Told<N> => each.event === name);
  }

  /** All that has happened, as far as it was told. */
  get happenings() {
    return this.of('happened').flatMap(({ data }) => data);
  }

  /** Resolves when what was told is as asked. */
  async until(matches: () => boolean): Promise<void> {
    while (!matches()) {
      await new Promise<void>((resolve) => {
        this.#watchers.add(resolve);
      });
    }
  }

  leave(): void {
    this.#leaving.abort();
  }

  async #read(events: AsyncIterable<ServerSent>): Promise<void> {
    try {
      for await (const { event, id, data } of events) {
        this.told.push({ event: event as Name, id: Number(id), data: JSON.parse(data) });
        for (const watcher of this.#watchers) watcher();
        this.#watchers.clear();
      }
    } catch (error) {
      if (!this.#leaving.signal.aborted) throw error;
    }
  }
}
