import { buildConnector } from 'undici';
import { isCut } from './refused.js';

/** Makes connections to the model server, and knows of one that broke whether it had been used before. */
export class Connections {
  readonly connect: buildConnector.connector;
  readonly #ofUsedOnes = new WeakSet<Error>();

  constructor(timeoutMs: number) {
    const connect = buildConnector({ timeout: timeoutMs });
    this.connect = (options, callback) =>
      connect(options, (...made) => {
        const [, socket] = made;
        socket?.once('error', (error) => {
          if (socket.bytesRead > 0) this.#ofUsedOnes.add(error);
        });
        callback(...made);
      });
  }

  /**
   * Whether the other side closed a connection that it had kept open after an earlier answer, of an error that came
   * before any answer to the request itself.
   */
  wasKeptAndClosed(error: unknown): boolean {
    return error instanceof Error && isCut(error) && this.#ofUsedOnes.has(error);
  }
}
