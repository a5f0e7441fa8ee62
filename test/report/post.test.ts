import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createReportAgent, post } from '../../src/report/post.js';
import { leftBehindBy } from '../support/resources.js';

/** A server of the test's own, its open connections, and where it listens. */
async function listening(server: Server) {
  const open = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted++;
    open.add(socket);
    socket.on('close', () => open.delete(socket)).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/worker_status/`, open, accepted: () => accepted };
}

const http = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  listening(createServer(answer));
const tcp = (answer: (socket: Socket) => void) => listening(createTcpServer(answer));

/** Posts until the test ends; the agent goes with it. */
function poster(timeoutMs = 5_000) {
  const dispatcher = createReportAgent(1_000);
  onTestFinished(() => dispatcher.destroy());
  return (url: string, signal = new AbortController().signal, body: unknown = { id: 1 }) =>
    post({ dispatcher, url, body, timeoutMs, signal });
}

/** Reports, finished requests and the key: one connection each. */
const MOST = 3;
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

describe('delivered is', () => {
  it.each<[name: string, status: number, body: string]>([
    ['200 with JSON', 200, '{"ok":true}'],
    ['200 with anything', 200, 'thanks'],
    ['201', 201, ''],
    ['204', 204, ''],
    ['299', 299, '{}'],
  ])('%s', async (_name, status, body) => {
    const { url } = await http((_request, response) => response.writeHead(status).end(body));
    await expect(poster()(url)).resolves.toBeUndefined();
  });

  it('what was read to its end, not what has begun', async () => {
    let finish = () => {};
    const begun = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let ended = false;
    const { url } = await http((_request, response) => {
      response.writeHead(200).write('{"ok":', () => finish());
      void begun.then(() =>
        setImmediate(() => {
          ended = true;
          response.end('true}');
        }),
      );
    });
    await poster()(url);
    expect(ended).toBe(true);
  });

  it('what was sent as JSON', async () => {
    const seen: unknown[] = [];
    const { url } = await http((request, response) => {
      const { method, url: path, headers } = request;
      seen.push({ method, path, type: headers['content-type'], length: headers['content-length'] });
      void text(request).then((body) => {
        seen.push(body);
        response.end();
      });
    });
    await poster()(url, undefined, { id: 1, text: 'ä' });
    expect(seen).toEqual([
      { method: 'POST', path: '/worker_status/', type: 'application/json', length: '20' },
      '{"id":1,"text":"ä"}',
    ]);
  });
});

describe('not delivered is', () => {
  it.each([300, 301, 307, 400, 401, 404, 429, 500, 503, 599])(
    'status %i, without a second try',
    async (status) => {
      let requests = 0;
      const { url } = await http((_request, response) => {
        requests++;
        response.writeHead(status, { location: '/' }).end('{"ok":true}');
      });
      await expect(poster()(url)).rejects.toThrow(`it answered with status ${status}`);
      expect(requests).toBe(1);
    },
  );

  it.each<[name: string, answer: (socket: Socket) => void, error: object]>([
    ['a reset', (socket) => socket.on('data', () => socket.resetAndDestroy()), { code: 'ECONNRESET' }],
    [
      'a connection that is closed',
      (socket) => socket.on('data', () => socket.end()),
      { message: 'other side closed' },
    ],
    [
      'a body that is cut',
      (socket) => socket.on('data', () => socket.end(`${HEAD}Content-Length: 99\r\n\r\n{"ok"`)),
      { message: 'other side closed' },
    ],
    [
      'a chunk that is missing',
      (socket) =>
        socket.on('data', () => socket.end(`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n{"ok"\r\n`)),
      { message: 'other side closed' },
    ],
    [
      'what is not HTTP',
      (socket) => socket.on('data', () => socket.end('NONSENSE\r\n\r\n')),
      { name: 'HTTPParserError' },
    ],
    [
      'headers without end',
      (socket) => socket.on('data', () => socket.write(`${HEAD}X: ${'x'.repeat(1 << 20)}`)),
      { code: 'UND_ERR_HEADERS_OVERFLOW' },
    ],
  ])('%s', async (_name, answer, error) => {
    const { url, open } = await tcp(answer);
    await expect(poster()(url)).rejects.toMatchObject(error);
    await until(() => open.size === 0);
  });

  it('a port on which nobody listens', async () => {
    await expect(poster()('http://127.0.0.1:9/worker_status/')).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  });

  it.each<[name: string, answer: (socket: Socket) => void]>([
    ['before the headers', (socket) => socket.resume()],
    ['in the headers', (socket) => socket.on('data', () => socket.write(HEAD))],
    [
      'before the body',
      (socket) => socket.on('data', () => socket.write(`${HEAD}Content-Length: 9\r\n\r\n`)),
    ],
    [
      'in the body',
      (socket) => socket.on('data', () => socket.write(`${HEAD}Content-Length: 9\r\n\r\n{"ok"`)),
    ],
  ])('an answer that stops %s', async (_name, answer) => {
    const { url, open } = await tcp(answer);
    await expect(poster(50)(url)).rejects.toThrow('no answer within 50 ms');
    await until(() => open.size === 0);
  });

  it('an answer that trickles', async () => {
    const { url, open } = await tcp((socket) => {
      socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
      const drip = setInterval(() => socket.write('1\r\nx\r\n'), 5);
      socket.on('close', () => clearInterval(drip));
    });
    await expect(poster(100)(url)).rejects.toThrow('no answer within 100 ms');
    await until(() => open.size === 0);
  });

  it('what is given up', async () => {
    const { url, open } = await tcp((socket) => socket.resume());
    const controller = new AbortController();
    const attempt = poster()(url, controller.signal);
    const reason = new Error('the worker has stopped');
    await until(() => open.size === 1);
    controller.abort(reason);
    await expect(attempt).rejects.toBe(reason);
    await until(() => open.size === 0);
  });

  it('what was given up before it began', async () => {
    const { url, accepted } = await tcp(() => {});
    const reason = new Error('the worker has stopped');
    await expect(poster()(url, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(accepted()).toBe(0);
  });
});

it.each([200, 500])('an endless answer of %i is read no further than it needs', async (status) => {
  let written = 0;
  const { url, open } = await http((_request, response) => {
    response.writeHead(status);
    const more = () => {
      while (!response.destroyed) {
        written += 1 << 14;
        if (!response.write('x'.repeat(1 << 14))) break;
      }
    };
    response.on('drain', more);
    more();
  });
  const outcome = await poster()(url).then(
    () => 'delivered',
    ({ message }: Error) => message,
  );
  expect(outcome).toBe(status === 200 ? 'delivered' : 'it answered with status 500');
  await until(() => open.size === 0);
  expect(written).toBeLessThan(16 << 20);
});

it('a connection is used again where it can be, and a hundred failures leave none open', async () => {
  let [attempt, requests] = [0, 0];
  const { url, open, accepted } = await http((_request, response) => {
    requests++;
    if (attempt <= 50) response.writeHead(500).end('{}');
    else if (attempt <= 100) response.destroy();
    else if (attempt <= 150) response.writeHead(200).flushHeaders();
    else response.end('{}');
  });
  let most = 0;
  const left = await leftBehindBy(async () => {
    const dispatcher = createReportAgent(1_000);
    const { signal } = new AbortController();
    for (attempt = 1; attempt <= 151; attempt++) {
      // Only what hangs has to be short of time.
      const timeoutMs = attempt > 100 && attempt <= 150 ? 50 : 5_000;
      await post({ dispatcher, url, body: {}, timeoutMs, signal }).catch(() => {});
      most = Math.max(most, open.size);
      if (attempt === 50) expect(accepted()).toBeLessThanOrEqual(MOST);
    }
    await dispatcher.destroy();
    await until(() => open.size === 0);
  });
  expect(requests).toBe(151);
  expect(most).toBeLessThanOrEqual(MOST);
  expect(left).toEqual({});
});

/** Looks at each turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
