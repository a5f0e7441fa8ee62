import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { listen } from '../../net/server.js';
import { type Behaviour, parseBehaviour } from './behaviour.js';

const LOOPBACK = '127.0.0.1';

/** Who is told how to behave. */
export interface Behaving {
  readonly behaviour: Behaviour;
  behave(change: Behaviour): void;
}

export interface Control {
  readonly port: number;
  close(): void;
}

/**
 * Takes changes of a behaviour over HTTP, on a port of its own, so that a model that hangs or refuses connections can
 * still be told to be well again: what is posted changes it, and every answer is the behaviour as it is then.
 */
export async function startControl(model: Behaving, port: number): Promise<Control> {
  const server: Server = createServer(async (request, response) => {
    const answer = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    try {
      const json = await text(request);
      if (request.method === 'POST') model.behave(parseBehaviour(json));
      answer(200, model.behaviour);
    } catch (error) {
      answer(400, { problem: String(error) });
    }
  });
  const bound = await listen(server, port, LOOPBACK);
  return {
    port: bound,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
