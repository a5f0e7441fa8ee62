import { expect, it, onTestFinished } from 'vitest';
import { type Behaviour, startFakeModel } from '../../src/testing/models/index.js';
import { RawClient, send } from '../support/client.js';

/** A model that behaves so, and one request over a bare connection. */
async function broken(behaviour: Behaviour, body: object) {
  const model = await startFakeModel({ behaviour });
  onTestFinished(() => model.close());
  const json = JSON.stringify(body);
  const client = new RawClient(model.port).write(
    `POST /v1/completions HTTP/1.1\r\nHost: model\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
  );
  return { model, client, health: () => send(model.port, '/health') };
}

it('a whole answer by halves: its headers promise more than comes, and the model is well', async () => {
  const { model, client, health } = await broken({ halfBody: true }, { max_tokens: 2 });
  const received = await client.untilEnd();
  const promised = Number(/content-length: (\d+)/i.exec(received)?.[1]);
  const body = received.slice(received.indexOf('\r\n\r\n') + 4);
  expect([promised > 0, body.length]).toEqual([true, Math.floor(promised / 2)]);
  expect(await model.requests[0]?.ended).toBe('cut');
  expect((await health()).status).toBe(200);
});

it('a stream by halves: it has half of its events and no end', async () => {
  const { model, client } = await broken({ halfBody: true }, { max_tokens: 4, stream: true });
  const received = await client.untilEnd();
  expect(received.match(/tok\d/g)).toEqual(['tok0', 'tok1']);
  expect(received.endsWith('0\r\n\r\n')).toBe(false);
  expect(await model.requests[0]?.ended).toBe('cut');
});

it('a stream that turns into what is no HTTP', async () => {
  const { model, client } = await broken({ garbageAfterTokens: 1 }, { max_tokens: 4, stream: true });
  const received = await client.untilEnd();
  expect(received.match(/tok\d/g)).toEqual(['tok0']);
  expect(received.endsWith('\u0000\u0001 this is no HTTP\r\n\r\n')).toBe(true);
  expect(await model.requests[0]?.ended).toBe('cut');
});

it.each([undefined, 1_000])(
  'headers without end, %s a second, until the client goes',
  async (tokensPerSecond) => {
    const { model, client } = await broken({ endlessHeaders: true, tokensPerSecond }, {});
    await expect.poll(() => client.received).toContain('X-Endless-50: ');
    expect(client.received).not.toContain('\r\n\r\n');
    client.socket.destroy();
    const request = await model.untilRequest();
    expect(await request.ended).toBe('aborted');
  },
);

it('a health route that is slow, beside work that is not', async () => {
  const { model, client, health } = await broken({ healthDelayMs: 60_000 }, { max_tokens: 1 });
  const asked = health().catch(() => 'cut');
  await model.untilHealthCheck();
  await expect.poll(() => client.received).toContain('tok0');
  await model.close();
  expect(await asked).toBe('cut');
});
