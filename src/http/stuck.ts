/** How many looks in a row must find that an answer has not moved. */
export const LOOKS = 12;

/** What is looked at of a response. */
interface Moving {
  readonly socket: { readonly bytesWritten: number; readonly writableLength: number } | null;
}

interface Standstill {
  readonly takenBytes: number;
  readonly looks: number;
}

/**
 * Finds the answers that are stuck: bytes wait for the client, and none has gone to its connection. It counts looks
 * and not time, so that clients are not blamed where the worker itself was held up. Nothing is kept of an answer that
 * does not wait for its client.
 */
export class Stuck<Inside extends { readonly response: Moving | null }> {
  #still = new Map<Inside, Standstill>();

  /** To be called at even intervals. Answers whose client has taken nothing for as many as {@link LOOKS} of them. */
  look(underWay: Iterable<Inside>): readonly Inside[] {
    const still = new Map<Inside, Standstill>();
    const stuck: Inside[] = [];
    for (const inside of underWay) {
      const takenBytes = takenOf(inside.response);
      if (takenBytes === null) continue;
      const before = this.#still.get(inside);
      const looks = before?.takenBytes === takenBytes ? before.looks + 1 : 0;
      still.set(inside, { takenBytes, looks });
      if (looks >= LOOKS) stuck.push(inside);
    }
    this.#still = still;
    return stuck;
  }
}

/** How much its client's connection has taken so far; null: nothing waits for it. */
function takenOf(response: Moving | null): number | null {
  const socket = response?.socket;
  if (!socket || socket.writableLength === 0) return null;
  return socket.bytesWritten - socket.writableLength;
}
