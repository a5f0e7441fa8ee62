import type { RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How many requests may wait in all behind others of their own connections. Each takes a few kilobytes. */
const MOST_AHEAD = 10_000;

/** Whoever has no more than so many waiting is never cut for what others do. */
const FEW_AHEAD = 16;

/**
 * Node hands out all requests that a client sends ahead, but writes one answer at a time. A request
 * begins when its answer may be written, so that each that has begun also hears when the client goes.
 *
 * Node itself reads on until answers wait for the client, so that behind a request that takes long they could fill the
 * memory. A connection on which one too many is sent ahead is cut.
 *
 * @param onTooMany hears when that was done
 */
export function inTurn(listener: RequestListener, onTooMany: () => void): RequestListener {
  const waiting = new WeakMap<Socket, { count: number }>();
  let all = 0;

  /** What waits on one connection, which is forgotten with it. */
  function waitingOn(socket: Socket): { count: number } {
    const known = waiting.get(socket);
    if (known !== undefined) return known;
    const own = { count: 0 };
    waiting.set(socket, own);
    socket.once('close', () => {
      all -= own.count;
    });
    return own;
  }

  return (request, response) => {
    const { socket } = request;
    // What came in one piece with the one that was too many.
    if (socket.destroyed) return;
    if (response.socket !== null) {
      listener(request, response);
      return;
    }
    const own = waitingOn(socket);
    if (all >= MOST_AHEAD && own.count >= FEW_AHEAD) {
      onTooMany();
      socket.destroy();
      return;
    }
    own.count += 1;
    all += 1;
    whenAssigned(response, () => {
      own.count -= 1;
      all -= 1;
      // Others come between: who sends a thousand requests in one piece would keep everybody waiting for all of them.
      setImmediate(() => {
        if (!socket.destroyed) listener(request, response);
      });
    });
  };
}

/** As soon as an answer may be written: at once, or when those before it are done. */
export function whenAssigned(response: ServerResponse, act: () => void): void {
  if (response.socket === null) response.once('socket', act);
  else act();
}
