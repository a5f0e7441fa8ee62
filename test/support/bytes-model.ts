import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** What it answers a prompt: all at once, or written to the connection as it likes. */
export type Bytes = string | ((socket: Socket) => void);

/** A model server made of bytes: what it writes need not be HTTP. */
export interface BytesModel {
  readonly url: string;
  /** The prompts that it was asked, each with the number of its connection. */
  readonly asked: readonly { readonly prompt: string; readonly connection: number }[];
  /** The prompts that are answered otherwise than with themselves. */
  readonly bytes: Map<string, Bytes>;
}

/** An answer as it should be, on a connection that is kept. */
export function wholeAnswer(body: string, headers = ''): string {
  return `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`;
}

/** It is well, and answers each prompt with itself, unless it is told other bytes. It ends with the test. */
export async function startBytesModel(): Promise<BytesModel> {
  const bytes = new Map<string, Bytes>();
  const asked: { prompt: string; connection: number }[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const connection = ++connections;
    sockets.add(socket);
    // Who gives up cuts, and that is no news here.
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      const [head = '', body = ''] = received.split('\r\n\r\n', 2);
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
      if (!received.includes('\r\n\r\n') || body.length < length) return;
      received = '';
      if (head.startsWith('GET ')) {
        socket.write(wholeAnswer('{}'));
        return;
      }
      const { prompt } = JSON.parse(body) as { prompt: string };
      asked.push({ prompt, connection });
      const answer = bytes.get(prompt) ?? wholeAnswer(prompt);
      if (typeof answer === 'string') socket.write(answer, 'latin1');
      else answer(socket);
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP address');
  return { url: `http://127.0.0.1:${address.port}`, asked, bytes };
}
