import type { IncomingMessage } from 'node:http';
import { WorkerError } from '../errors.js';

export interface BodiesOptions {
  /** The largest body. */
  readonly limitBytes: number;
  /** The most that all bodies may hold together until their requests are let in. */
  readonly uncheckedLimitBytes: number;
}

const RETRY_AFTER_SECONDS = '1';

/** How long a client that is read no further may take to read why, before its connection is cut. */
const LINGER_MS = 1_000;

/**
 * Reads the bodies of requests. Whoever sends one may be anybody until it is here in full, so what all of them hold
 * together has a limit.
 */
export class Bodies {
  readonly #options: BodiesOptions;
  #heldBytes = 0;

  constructor(options: BodiesOptions) {
    this.#options = options;
  }

  /** What was read of requests that are neither let in nor refused yet. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Reads a body up to the limit, or to a lower one of its own. What it says of itself is not looked at here. It is held until it is given back,
   * which is the caller's to do, once.
   *
   * @throws {WorkerError} `payload_too_large`, `too_many_bodies`, `client_closed_request`; nothing is held then
   */
  async read(request: IncomingMessage, ownLimitBytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
    const limitBytes = Math.min(ownLimitBytes, this.#options.limitBytes);
    const announced = Number(request.headers['content-length']);
    if (announced > limitBytes) throw tooLarge(limitBytes);
    if (request.destroyed) throw new WorkerError('client_closed_request');
    return new Promise((resolve, reject) => {
      const pieces: Buffer[] = [];
      let total = 0;
      const take = (piece: Buffer) => {
        pieces.push(piece);
        total += piece.length;
        this.#heldBytes += piece.length;
        if (total > limitBytes) fail(tooLarge(limitBytes));
        else if (this.#isTooMuch(total) && piece.length !== announced) fail(tooMany(request));
      };
      const end = () => {
        stop();
        const [first] = pieces;
        resolve(first?.length === total ? first : Buffer.concat(pieces, total));
      };
      const leave = () => fail(new WorkerError('client_closed_request'));
      const fail = (error: WorkerError) => {
        stop();
        this.#heldBytes -= total;
        // An error keeps the functions that it came from, and whoever keeps the error would keep the body.
        pieces.length = 0;
        reject(error);
      };
      const stop = () => request.off('data', take).off('end', end).off('close', leave);
      request.on('data', take).on('end', end).on('close', leave);
    });
  }

  /** To be called once for each body that was read, when its request is let in or refused. */
  giveBack(body: Buffer): void {
    this.#heldBytes -= body.length;
  }

  /**
   * Whether one body that holds so much is one too many. It never is where no other is held. One that comes in a
   * single piece is spared by the caller: it is checked at once, and strangers who never finish can't keep it out.
   */
  #isTooMuch(ownBytes: number): boolean {
    return this.#heldBytes > this.#options.uncheckedLimitBytes && this.#heldBytes > ownBytes;
  }
}

function tooLarge(limitBytes: number): WorkerError {
  return new WorkerError('payload_too_large', `The body is over the limit of ${limitBytes} bytes.`);
}

/** Reads no more of a request: what comes after its headers stays in the connection until that is cut. */
function tooMany(request: IncomingMessage): WorkerError {
  request.pause();
  const linger = setTimeout(() => request.destroy(), LINGER_MS).unref();
  request.once('close', () => clearTimeout(linger));
  return new WorkerError('too_many_bodies', undefined, {
    headers: { 'Retry-After': RETRY_AFTER_SECONDS, Connection: 'close' },
  });
}
