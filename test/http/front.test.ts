import diagnostics from 'node:diagnostics_channel';
import { IncomingMessage, ServerResponse } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { send } from '../support/client.js';
import { serve } from '../support/worker.js';

/** What Node tells of each request as it has made it, before anybody could change it. */
const MADE = 'http.server.request.start';

it("the worker's requests are made with Express's own prototypes, which is half of their cost", async () => {
  const { port } = await serve();
  const prototypes: unknown[] = [];
  const hear = (message: unknown) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    prototypes.push(Object.getPrototypeOf(request), Object.getPrototypeOf(response));
  };
  diagnostics.subscribe(MADE, hear);
  onTestFinished(() => void diagnostics.unsubscribe(MADE, hear));
  await send(port, '/value');
  expect(prototypes).toHaveLength(2);
  expect(prototypes).not.toContain(IncomingMessage.prototype);
  expect(prototypes).not.toContain(ServerResponse.prototype);
});
