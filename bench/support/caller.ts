import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { AnswerReader, type ReadAnswer } from './answer-reader.js';

export interface CallerOptions {
  readonly port: number;
  /** The next request, whole; undefined: enough is asked. */
  readonly next: () => Buffer | undefined;
  readonly onAnswer: (answer: ReadAnswer, tookMs: number) => void;
  readonly onBody: (bytes: number) => void;
}

/** Asks over one connection, one request after the other, until there is none. Rejects when the connection breaks. */
export async function call(options: CallerOptions): Promise<void> {
  const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  await untilDone(socket, options);
  socket.end().resume();
  await once(socket, 'close');
}

function untilDone(socket: Socket, { next, onAnswer, onBody }: CallerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    let askedAtMs = 0;
    const ask = () => {
      const request = next();
      if (request === undefined) {
        resolve();
        return;
      }
      askedAtMs = performance.now();
      socket.write(request);
    };
    const reader = new AnswerReader((answer) => {
      onAnswer(answer, performance.now() - askedAtMs);
      ask();
    }, onBody);
    socket.on('data', (piece) => {
      try {
        reader.read(piece);
      } catch (error) {
        reject(error);
        socket.destroy();
      }
    });
    socket.on('error', reject);
    socket.on('end', () => reject(new Error('the server closed a connection')));
    ask();
  });
}
