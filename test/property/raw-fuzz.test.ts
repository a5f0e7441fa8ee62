import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Rig, startRig } from '../conformance/rig.js';

/** Fixed, so that a failure is the same each time; another seed in the environment looks elsewhere. */
const SEED = Number(process.env.FUZZ_SEED ?? 20_261_124);

/**
 * For who reads it by its length a body; for who reads it in chunks an empty one, and behind it a second request,
 * which would be told apart by its 404.
 */
const HIDDEN = '0\r\n\r\nGET /hidden-in-another HTTP/1.1\r\nHost: x\r\n\r\n';
const LENGTH = HIDDEN.length;

/** Headers from which two readers could take two different ends of the body, or of the headers. */
const AMBIGUOUS = [
  `Content-Length: 0\r\nContent-Length: ${LENGTH}\r\n`,
  `Content-Length: ${LENGTH}, 0\r\n`,
  `Content-Length: +${LENGTH}\r\n`,
  `Content-Length: 0x${LENGTH.toString(16)}\r\n`,
  'Content-Length: -1\r\n',
  `Content-Length: ${LENGTH}\r\nTransfer-Encoding: chunked\r\n`,
  `Transfer-Encoding: chunked\r\nContent-Length: ${LENGTH}\r\n`,
  'Transfer-Encoding: chunked, identity\r\n',
  'Transfer-Encoding : chunked\r\n',
  `X-Folded: a\r\n Content-Length: ${LENGTH}\r\n`,
  'X-Nul: a\u0000b\r\nContent-Length: 0\r\n',
  'X-Bare: a\nTransfer-Encoding: chunked\nContent-Length: 0\r\n',
  `X-Huge: ${'x'.repeat(100_000)}\r\n`,
] as const;

const PATHS = [
  ...['/v1/completions', '/serial/one', '/session/create', '/session/end', '/pyworker/update'],
  ...['/status', '/metrics', '/report_error', '/report_loaded'],
];

/** Writes bytes, says no more, and reads whatever comes until the other side has closed. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.setEncoding('latin1');
  // A reset is as good an end as any: the worker need not read what it has refused.
  let received = '';
  socket.on('data', (chunk: string) => {
    received += chunk;
  });
  socket.on('error', () => {});
  const closed = once(socket, 'close').catch(() => {});
  socket.end(bytes, 'latin1');
  await closed;
  return received;
}

const statusesOf = (received: string) =>
  [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));

/** All that nobody without a proof may change. */
function stateOf({ worker, model, autoscaler }: Rig) {
  const { ledger, completions, sessions, requestsQueued, state, errorMessage } = worker.view();
  const { diskGib: _, ...totals } = ledger.totals;
  const [asked, finished] = [model.requests.length, autoscaler.finished.length];
  return { totals, completions, sessions, requestsQueued, state, errorMessage, asked, finished };
}

async function expectServed(rig: Rig): Promise<void> {
  expect((await rig.ask('/v1/completions', { max_tokens: 1 })).status).toBe(200);
}

it.each(AMBIGUOUS.map((headers) => [headers.slice(0, 60), headers]))(
  'a message framed by %j is refused, and what is behind it is no request',
  async (_, headers) => {
    const rig = await startRig();
    const before = stateOf(rig);
    for (const [port, path] of [
      [rig.port, '/v1/completions'],
      [rig.internalPort, '/report_error'],
    ] as const) {
      const received = await exchange(port, `POST ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n${HIDDEN}`);
      expect(statusesOf(received)).toEqual([headers.startsWith('X-Huge') ? 431 : 400]);
      expect(stateOf(rig)).toEqual(before);
    }
    await expectServed(rig);
  },
);

it('whatever bytes come changes nothing, is no fault of ours, and reaches no other request', async () => {
  const rig = await startRig();
  const before = stateOf(rig);
  const bytes = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte)),
  });
  const messages = fc.oneof(
    bytes,
    fc
      .record({
        method: fc.constantFrom('POST', 'GET', 'CONNECT', 'post', 'PRI'),
        path: fc.constantFrom(...PATHS, '*', 'http://elsewhere/', '/\u0000'),
        version: fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 '),
        end: fc.constantFrom('\r\n', '\n', '\r', '\r\r\n'),
        headers: fc.constantFrom(...AMBIGUOUS, ''),
        body: bytes,
      })
      .map(
        ({ method, path, version, end, headers, body }) =>
          `${method} ${path} ${version}${end}Host: x\r\n${headers}\r\n${body}`,
      ),
  );
  await fc.assert(
    fc.asyncProperty(messages, fc.boolean(), async (message, isInternal) => {
      const statuses = statusesOf(await exchange(isInternal ? rig.internalPort : rig.port, message));
      for (const status of statuses) expect(status).toBeLessThan(500);
      expect(stateOf(rig)).toEqual(before);
    }),
    { numRuns: 300, seed: SEED },
  );
  await expectServed(rig);
});
