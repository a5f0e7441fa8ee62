import diagnosticsChannel from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { isCut } from './refused.js';

/** Where undici says that a request goes out, and over which connection. */
const REQUESTS = 'undici:client:sendHeaders';

/** Makes connections to the model server, and knows of one that broke whether a request to it was lost unanswered. */
export class Connections {
  readonly connect: buildConnector.connector;
  /** What had come over each connection when its last request went out. */
  readonly #bytesBefore = new WeakMap<Socket, number>();
  readonly #ofKeptOnes = new WeakSet<Error>();

  constructor(timeoutMs: number) {
    const connect = buildConnector({ timeout: timeoutMs });
    this.connect = (options, callback) =>
      connect(options, (...made) => {
        if (made[0] === null) this.#watch(made[1]);
        callback(...made);
      });
    diagnosticsChannel.subscribe(REQUESTS, this.#onRequest);
  }

  /**
   * Whether the other side closed a connection that it had kept open after an earlier answer, of an error that came
   * before the first byte of an answer to the request itself.
   */
  wasKeptAndClosed(error: unknown): boolean {
    return error instanceof Error && isCut(error) && this.#ofKeptOnes.has(error);
  }

  /** Listens to no more requests. */
  close(): void {
    diagnosticsChannel.unsubscribe(REQUESTS, this.#onRequest);
  }

  #watch(socket: Socket): void {
    this.#bytesBefore.set(socket, 0);
    socket.once('error', (error) => {
      const before = this.#bytesBefore.get(socket) ?? 0;
      if (before > 0 && socket.bytesRead === before) this.#ofKeptOnes.add(error);
    });
  }

  /** The channel is that of the whole process. */
  readonly #onRequest = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket };
    if (this.#bytesBefore.has(socket)) this.#bytesBefore.set(socket, socket.bytesRead);
  };
}
