import { describe, expect, it } from 'vitest';
import { Traffic } from '../../src/model/traffic.js';
import type { OpenAnswer, Sink, UpstreamCall } from '../../src/upstream.js';
import { deferred } from '../support/worker.js';

const CALL: UpstreamCall = {
  method: 'POST',
  path: '/',
  headers: {},
  body: null,
  signal: new AbortController().signal,
  timeouts: { firstByteMs: 1, betweenBytesMs: 1, totalMs: 1 },
};

const ANSWER: OpenAnswer = {
  status: 200,
  headers: {},
  body: (async function* () {})(),
  json: async () => null,
  text: async () => '',
  discard: () => {},
};

/** A client that takes a piece or does not, as it is told. */
class Client implements Sink {
  wantsMore = true;
  readonly heard: string[] = [];
  #drain = () => {};

  start(status: number): void {
    this.heard.push(`status ${status}`);
  }

  write(chunk: Uint8Array): boolean {
    this.heard.push(Buffer.from(chunk).toString());
    return this.wantsMore;
  }

  onDrain(listener: () => void): void {
    this.#drain = listener;
  }

  end(): void {
    this.heard.push('end');
  }

  takes(): void {
    this.wantsMore = true;
    this.#drain();
  }
}

/** A model server whose every move is the test's, and a clock that stands still until it is moved. */
function start() {
  let [nowMs, bytes] = [1_000_000, 0];
  const sinks: Sink[] = [];
  const ends: ReturnType<typeof deferred<number>>[] = [];
  const begun = deferred<OpenAnswer>();
  const traffic = new Traffic({
    upstream: {
      stream: (_call, sink) => {
        sinks.push(sink);
        const end = deferred<number>();
        ends.push(end);
        return end.promise;
      },
      request: () => begun.promise,
    },
    bytesSoFar: () => bytes,
    now: () => nowMs,
  });
  return {
    traffic,
    begun,
    open(client: Sink = new Client()) {
      const nth = ends.length;
      const ended = traffic.stream(CALL, client);
      const sink = sinks[nth];
      if (sink === undefined) throw new Error('The request did not reach the model server.');
      return {
        sink,
        ended,
        async end() {
          ends[nth]?.resolve(200);
          await ended;
        },
        async fail() {
          ends[nth]?.reject(new Error('it took too long'));
          await ended.catch(() => {});
        },
      };
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
    comes: () => {
      bytes += 1;
    },
  };
}

describe('the silence of a model server', () => {
  it('is none while nothing waits, however long that is', () => {
    const { traffic, pass } = start();
    pass(3_600_000);
    expect(traffic.takeQuietMs()).toBe(0);
  });

  it('lasts from the first request that waits, or the last byte for any of them', async () => {
    const { traffic, open, pass, comes } = start();
    open();
    pass(600);
    open();
    pass(400);
    expect([traffic.takeQuietMs(), traffic.takeQuietMs()]).toEqual([1_000, 1_000]);
    comes();
    expect(traffic.takeQuietMs()).toBe(0);
    pass(70);
    expect(traffic.takeQuietMs()).toBe(70);
  });

  it('is still told when the last request has ended without a byte, and then no more', async () => {
    const { traffic, open, pass } = start();
    const request = open();
    pass(5_000);
    await request.fail();
    pass(9_000);
    expect([traffic.takeQuietMs(), traffic.takeQuietMs()]).toEqual([5_000, 0]);
  });

  it('was none where bytes came before the end', async () => {
    const { traffic, open, pass, comes } = start();
    const request = open();
    pass(5_000);
    comes();
    await request.end();
    expect(traffic.takeQuietMs()).toBe(0);
  });

  it('goes on from one request of a queue to the next, and not over a pause', async () => {
    const { traffic, open, pass } = start();
    const first = open();
    pass(60_000);
    await first.fail();
    pass(1_000);
    const second = open();
    expect(traffic.takeQuietMs()).toBe(61_000);
    await second.fail();
    traffic.takeQuietMs();
    pass(1_001);
    open();
    expect(traffic.takeQuietMs()).toBe(0);
  });

  it("is not a client's that does not take what is there", async () => {
    const { traffic, open, pass, comes } = start();
    const client = new Client();
    client.wantsMore = false;
    const { sink, end } = open(client);
    sink.start(200, []);
    sink.onDrain(() => {});
    comes();
    sink.write(Buffer.from('a'));
    sink.write(Buffer.from('b'));
    expect(traffic.takeQuietMs()).toBe(0);
    pass(3_600_000);
    expect(traffic.takeQuietMs()).toBe(0);
    client.takes();
    pass(50);
    expect(traffic.takeQuietMs()).toBe(50);
    sink.end();
    await end();
    client.takes();
    pass(2_000);
    expect([traffic.takeQuietMs(), traffic.takeQuietMs()]).toEqual([50, 0]);
    expect(client.heard).toEqual(['status 200', 'a', 'b', 'end']);
  });

  it('ends where an answer that is read here begins', async () => {
    const { traffic, begun, pass } = start();
    const answer = traffic.request(CALL);
    pass(700);
    expect(traffic.takeQuietMs()).toBe(700);
    begun.resolve(ANSWER);
    expect(await answer).toBe(ANSWER);
    traffic.takeQuietMs();
    pass(2_000);
    expect(traffic.takeQuietMs()).toBe(0);
  });

  it('lets what the model server answers, and what fails, through', async () => {
    const { open, begun, traffic } = start();
    const [one, other] = [open(), open()];
    await Promise.all([one.end(), other.fail()]);
    expect(await one.ended).toBe(200);
    await expect(other.ended).rejects.toThrow('it took too long');
    begun.reject(new Error('refused'));
    await expect(traffic.request(CALL)).rejects.toThrow('refused');
  });
});
