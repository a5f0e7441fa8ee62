import { expect, it } from 'vitest';
import { serveModel } from '../support/model-server.js';
import { quietBackend, serve } from '../support/worker.js';

it.each([
  ['', 1],
  [' and is large', 1024 * 1024],
])('an answer that is not read to its end%s gives its connection back', async (_which, bytes) => {
  const { url } = await serveModel((_request, response) => response.end(Buffer.alloc(bytes)));
  const backend = quietBackend({
    model: { url },
    routes: { '/run': { transformResponse: ({ status }) => ({ status }) } },
  });
  const { port } = await serve(backend);
  for (let request = 0; request < 4; request++) {
    const answer = await fetch(`http://127.0.0.1:${port}/run`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(1_000),
    });
    expect(await answer.json()).toEqual({ status: 200 });
  }
});
