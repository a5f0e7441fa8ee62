import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** An autoscaler made of bytes: it reads whole requests, and what it writes need not be HTTP. */
export interface WireAutoscaler {
  readonly url: string;
  /** The bodies of all requests, oldest first, each with the connection that it came on. */
  readonly requests: readonly WireRequest[];
  /** Connections that are open now. */
  readonly open: () => number;
}

export interface WireRequest {
  readonly target: string;
  readonly body: unknown;
  readonly good: boolean;
}

const GOOD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}';

/** Asked for each request by its number, from 1: true for a good answer, false where it misbehaves. */
export interface Misbehaviour {
  readonly isGood: (request: number) => boolean;
  readonly misbehave: (socket: Socket) => void;
}

export async function startWireAutoscaler({ isGood, misbehave }: Misbehaviour): Promise<WireAutoscaler> {
  const requests: WireRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      const [head = '', rest] = text.split('\r\n\r\n', 2);
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
      if (rest === undefined || rest.length < length) return;
      text = '';
      const good = isGood(requests.length + 1);
      requests.push({ target: head.split(' ', 2).join(' '), body: JSON.parse(rest), good });
      if (good) socket.write(GOOD);
      else misbehave(socket);
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP address');
  return { url: `http://127.0.0.1:${address.port}`, requests, open: () => sockets.size };
}

/** Writes as fast as the other side reads, until it goes. */
export function writeWithoutEnd(socket: Socket, chunk: string): void {
  const more = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', more);
  more();
}

/** Writes a little now and then, until the other side goes. */
export function dribble(socket: Socket, chunk: string): void {
  const timer = setInterval(() => socket.write(chunk), 20);
  socket.once('close', () => clearInterval(timer));
}
