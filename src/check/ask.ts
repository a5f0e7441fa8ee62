import { Agent, request } from 'undici';

/** What a server answered, whatever it was. */
export interface Asked {
  readonly status: number;
  /** Its clock, in Unix ms; null: it did not say. */
  readonly dateMs: number | null;
  /** Unix ms of ours, half-way between the question and the answer. */
  readonly askedAtMs: number;
}

/** Asks a server whether it answers at all, over a connection of its own. Rejects when it does not. */
export async function ask(url: string, signal: AbortSignal): Promise<Asked> {
  const dispatcher = new Agent({ connections: 1, pipelining: 0 });
  try {
    const beganAtMs = Date.now();
    const { statusCode, headers, body } = await request(url, { dispatcher, signal });
    const askedAtMs = (beganAtMs + Date.now()) / 2;
    // Nothing but its headers matters.
    body.on('error', () => {}).destroy();
    const date = Date.parse(String(headers.date ?? ''));
    return { status: statusCode, dateMs: Number.isNaN(date) ? null : date, askedAtMs };
  } finally {
    await dispatcher.destroy();
  }
}
