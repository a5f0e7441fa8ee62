import type { ServerResponse } from 'node:http';
import { setTimeout as delay, setImmediate as immediately } from 'node:timers/promises';
import type { Behaviour } from './behaviour.js';

/** Answers that are not HTTP, or not all of it: they go to the connection as they are. */

const GARBAGE = '\u0000\u0001 this is no HTTP\r\n\r\n';

/** In the place of an answer, or of its next piece. */
export function sendGarbage({ socket }: ServerResponse): void {
  socket?.end(GARBAGE);
}

/** Sends headers until the client goes, no faster than it takes them. */
export async function sendEndlessHeaders(
  { socket }: ServerResponse,
  { tokensPerSecond }: Behaviour,
  signal: AbortSignal,
): Promise<void> {
  // That the client has gone the signal tells.
  const write = (text: string) => new Promise<void>((resolve) => socket?.write(text, () => resolve()));
  await write('HTTP/1.1 200 OK\r\n');
  for (let index = 0; ; index++) {
    signal.throwIfAborted();
    await write(`X-Endless-${index}: ${'x'.repeat(100)}\r\n`);
    // So that it is heard that the client has gone.
    if (tokensPerSecond === undefined) await immediately(undefined, { signal });
    else await delay(1000 / tokensPerSecond, undefined, { signal });
  }
}
