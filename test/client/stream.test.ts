import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { all, failureOf, json, startWhole, startWith } from './world.js';

const SSE = { 'content-type': 'text/event-stream' };
const NDJSON = { 'content-type': 'application/x-ndjson' };

/** A stream whose pieces are written when they are asked for. */
function byHand() {
  let response: ServerResponse | undefined;
  let begin: () => void = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  return {
    script: (given: ServerResponse, headers: Record<string, string>): void => {
      response = given;
      given.writeHead(200, headers).flushHeaders();
      begin();
    },
    begun,
    write: (text: string) => void response?.write(text),
    cut: () => void response?.destroy(),
    left: () => new Promise<void>((resolve) => void response?.once('close', resolve)),
  };
}

describe('a stream', () => {
  it('gives the events of a model as they come, and ends with the end mark', async () => {
    const { endpoint, told, autoscaler } = await startWhole();
    const payload = { prompt: 'Once', max_tokens: 3, stream: true };
    const events = await all(endpoint.stream<{ object: string }>('/v1/completions', payload, { cost: 3 }));
    expect(events.map(({ event, data }) => [event, data.object])).toEqual([
      ['message', 'text_completion'],
      ['message', 'text_completion'],
      ['message', 'text_completion'],
    ]);
    expect(told.at(-1)).toMatchObject({ name: 'ended', outcome: 'succeeded', attempts: 1, error: null });
    await autoscaler.waitForCompletion(({ status }) => status === 'Success');
  });

  it('gives each event before the next one is there', async () => {
    const hand = byHand();
    const { endpoint } = await startWith((_received, response) => hand.script(response, SSE));
    const events = endpoint.stream('/x', {});
    const first = events.next();
    await hand.begun;
    hand.write('event: token\nid: 7\ndata: {"t":"a"}\n\n');
    expect((await first).value).toEqual({ event: 'token', id: '7', data: { t: 'a' } });
    const second = events.next();
    hand.write('data: plain text\n\n');
    expect((await second).value).toEqual({ event: 'message', id: '7', data: 'plain text' });
    await events.return();
  });

  it('reads lines of JSON, a whole JSON, text and bytes as well', async () => {
    const kinds: [type: string, text: string, data: unknown[]][] = [
      ['application/x-ndjson', '{"n":1}\n\n{"n":2}', [{ n: 1 }, { n: 2 }]],
      ['application/jsonl', '1\r\n[2]\r\n', [1, [2]]],
      ['application/json-seq', '\u001E{"n":1}\n\u001E{"n":2}\n', [{ n: 1 }, { n: 2 }]],
      ['application/json', '{"n":1}', [{ n: 1 }]],
      ['text/plain', 'one piece', ['one piece']],
      ['audio/wav', 'RIFF', [new TextEncoder().encode('RIFF')]],
      ['text/event-stream; charset=utf-8', 'data: 1', [1]],
      ['text/event-stream', '', []],
    ];
    const { endpoint } = await startWith((_received, response, nth) => {
      const [type = '', text = ''] = kinds[nth - 1] ?? [];
      response.writeHead(200, { 'content-type': type }).end(text);
    });
    for (const [type, , data] of kinds) {
      const events = await all(endpoint.stream('/x', {}));
      expect([type, events.map((event) => event.data)]).toEqual([type, data]);
    }
  });

  it('has the data that parse makes', async () => {
    const { endpoint } = await startWith((_received, response) =>
      response.writeHead(200, NDJSON).end('{"n":1}\n{"n":2}\n'),
    );
    const parse = (data: unknown) => (data as { n: number }).n;
    expect((await all(endpoint.stream('/x', {}, { parse }))).map(({ data }) => data)).toEqual([1, 2]);
    const strict = (data: unknown): number => {
      if ((data as { n: number }).n > 1) throw new Error('too much');
      return 1;
    };
    const events: unknown[] = [];
    const failing = (async () => {
      for await (const { data } of endpoint.stream('/x', {}, { parse: strict })) events.push(data);
    })();
    expect((await failureOf(failing)).what).toMatch(/answered what parse does not take \(too much\)\.$/);
    expect(events).toEqual([1]);
  });

  it('that is left stops the work on it', async () => {
    const { endpoint, model, told, autoscaler } = await startWhole({
      model: { behaviour: { tokens: 50, pauseAfterTokens: 2 } },
    });
    for await (const _ of endpoint.stream('/v1/completions', { stream: true })) break;
    await model.untilAborted();
    expect(told.at(-1)).toMatchObject({ name: 'ended', outcome: 'left', error: null });
    await autoscaler.waitForCompletion(({ status }) => status === 'Cancelled');
  });

  it('whose reader throws is left as well', async () => {
    const hand = byHand();
    const { endpoint, told } = await startWith((_received, response) => {
      hand.script(response, SSE);
      hand.write('data: 1\n\n');
    });
    const reading = (async () => {
      for await (const _ of endpoint.stream('/x', {})) {
        throw new Error('a mistake of the reader');
      }
    })();
    await expect(reading).rejects.toThrow('a mistake of the reader');
    await hand.left();
    expect(told.at(-1)).toMatchObject({ name: 'ended', outcome: 'left' });
  });

  it('ends with its signal, also while nothing comes', async () => {
    const gone = new AbortController();
    const hand = byHand();
    const { endpoint } = await startWith((_received, response) => {
      hand.script(response, SSE);
      hand.write('data: 1\n\n');
    });
    const events: unknown[] = [];
    const reading = (async () => {
      for await (const { data } of endpoint.stream('/x', {}, { signal: gone.signal })) {
        events.push(data);
        setTimeout(() => gone.abort(new Error('enough')), 5);
      }
    })();
    expect(await failureOf(reading)).toMatchObject({ code: 'aborted', cause: new Error('enough') });
    expect(events).toEqual([1]);
    await hand.left();
  });

  it('ends with its signal between events that came in one piece', async () => {
    const { endpoint, told } = await startWith((_received, response) =>
      response.writeHead(200, SSE).end('data: 1\n\ndata: 2\n\ndata: 3\n\n'),
    );
    for (const last of [1, 2, 3]) {
      const gone = new AbortController();
      const events: unknown[] = [];
      const reading = (async () => {
        for await (const { data } of endpoint.stream('/x', {}, { signal: gone.signal })) {
          events.push(data);
          if (data === last) gone.abort(new Error('enough'));
        }
      })();
      expect(await failureOf(reading)).toMatchObject({ code: 'aborted', cause: new Error('enough') });
      expect(events).toEqual([1, 2, 3].slice(0, last));
      expect(told.at(-1)).toMatchObject({ name: 'ended', outcome: 'failed', error: { code: 'aborted' } });
    }
  });

  it('that is cut after an event fails, and is not begun anew', async () => {
    const hand = byHand();
    const { endpoint, worker, told } = await startWith((_received, response) => {
      hand.script(response, SSE);
      hand.write('data: 1\n\n');
    });
    const events: unknown[] = [];
    const reading = (async () => {
      for await (const { data } of endpoint.stream('/x', {})) {
        events.push(data);
        hand.cut();
      }
    })();
    const error = await failureOf(reading);
    expect(error).toMatchObject({ code: 'stream_cut', worker: worker.url, cause: expect.any(Error) });
    expect(error.message).toMatch(/ was cut \(.+\)\. Begin the stream anew: /);
    expect([events, worker.received.length]).toEqual([[1], 1]);
    expect(told.at(-1)).toMatchObject({ name: 'ended', outcome: 'failed', error: { code: 'stream_cut' } });
  });

  it('that is cut before its first event is begun anew', async () => {
    const { endpoint, worker } = await startWith((_received, response, nth) => {
      if (nth === 3) {
        response.writeHead(200, SSE).end('data: "at last"\n\n');
        return;
      }
      response.writeHead(200, SSE);
      response.write(nth === 1 ? ': nothing yet\n' : 'data: "ha', () => response.destroy());
    });
    expect((await all(endpoint.stream('/x', {}))).map(({ data }) => data)).toEqual(['at last']);
    expect(worker.received).toHaveLength(3);
  });

  it('is tried again after 503 and not after 422', async () => {
    const { endpoint, worker } = await startWith((_received, response, nth) => {
      if (nth === 2) response.writeHead(200, SSE).end('data: 1\n\n');
      else json(response, nth === 1 ? 503 : 422, { prompt: 'is missing' });
    });
    expect(await all(endpoint.stream('/x', {}))).toHaveLength(1);
    const error = await failureOf(all(endpoint.stream('/x', {})));
    expect(error.code).toBe('worker_refused');
    expect(error.what).toBe(`The worker at ${worker.url} answered 422 prompt: is missing.`);
    expect(worker.received).toHaveLength(3);
  });

  it('has timeout for its first event and idleTimeout between two, not counting what the reader takes', async () => {
    const hand = byHand();
    const { endpoint } = await startWith((_received, response, nth) => {
      hand.script(response, SSE);
      if (nth === 1) return;
      hand.write('data: 1\n\n');
    });
    const late = await failureOf(all(endpoint.stream('/x', {}, { timeout: 400, idleTimeout: 10_000 })));
    expect(late.code).toBe('timeout');
    const events = endpoint.stream('/x', {}, { timeout: 10_000, idleTimeout: 300 });
    expect((await events.next()).value?.data).toBe(1);
    for (const data of [2, 3]) {
      // The reader takes longer than that.
      await new Promise((resolve) => setTimeout(resolve, 400));
      hand.write(`data: ${data}\n\n`);
      expect((await events.next()).value?.data).toBe(data);
    }
    expect((await failureOf(events.next())).code).toBe('timeout');
    await hand.left();
  });

  it('that can not be read fails after what could be', async () => {
    const { endpoint, worker } = await startWith((_received, response) =>
      response.writeHead(200, NDJSON).end('{"n":1}\n{"n":\n{"n":3}\n'),
    );
    const events: unknown[] = [];
    const reading = (async () => {
      for await (const { data } of endpoint.stream('/x', {})) events.push(data);
    })();
    const error = await failureOf(reading);
    expect(error.code).toBe('unexpected_answer');
    expect(error.what).toMatch(/answered a stream that can not be read \(/);
    expect([events, worker.received.length]).toEqual([[{ n: 1 }], 1]);
  });
});

describe('bytes', () => {
  it('come as they are, to a payload as it was written', async () => {
    const text = 'data: {"n":12345678901234567890.10}\n\ndata: [DONE]\n\n';
    const { endpoint, worker, told } = await startWith((_received, response) =>
      response.writeHead(200, SSE).end(text),
    );
    const pieces = await all(endpoint.bytes('/x', '[12345678901234567890.10]', { cost: 3 }));
    expect(Buffer.concat(pieces).toString()).toBe(text);
    expect(worker.received.map(({ body }) => body)).toEqual([
      expect.stringContaining('"payload":[12345678901234567890.10],'),
    ]);
    expect(told.at(-1)).toMatchObject({ name: 'ended', outcome: 'succeeded', attempts: 1, error: null });
  });

  it('are begun anew while none has come, and cut after that', async () => {
    const { endpoint, worker } = await startWith((_received, response, nth) => {
      if (nth === 1) response.destroy();
      else response.writeHead(200, SSE).write('some', () => response.destroy());
    });
    const pieces: Uint8Array[] = [];
    const reading = (async () => {
      for await (const piece of endpoint.bytes('/x', '{}')) pieces.push(piece);
    })();
    expect(await failureOf(reading)).toMatchObject({ code: 'stream_cut', worker: worker.url });
    expect(Buffer.concat(pieces).toString()).toBe('some');
    expect(worker.received).toHaveLength(2);
  });

  it('have the time of the call in all, however long each was waited for', async () => {
    const { endpoint } = await startWith((_received, response) => {
      response.writeHead(200, SSE);
      const timer = setInterval(() => response.write('.'), 5);
      response.once('close', () => clearInterval(timer));
    });
    const reading = all(endpoint.bytes('/x', '{}', { timeout: 300 }));
    expect(await failureOf(reading)).toMatchObject({ code: 'timeout' });
  });

  it('are not sent for text that is no JSON, which is not repeated', async () => {
    const { endpoint, worker } = await startWith((_received, response) => response.end());
    const { code, what, cause } = await failureOf(all(endpoint.bytes('/x', '{"a":1},"session_id":"s"')));
    expect({ code, what, cause }).toEqual({
      code: 'invalid_option',
      what: 'payload is not JSON.',
      cause: undefined,
    });
    expect(worker.received).toEqual([]);
  });
});
