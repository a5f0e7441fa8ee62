import { SseReader } from '../../client/sse.js';
import type { Charts, History, Sample, StreamEvents } from '../contract.js';
import type { Lock } from './page-state.js';
import { Silence } from './silence.js';

export interface Hears {
  /** All that is known so far: at first, and again where too much was missed, or the worker is another. */
  readonly onBegin: (charts: Charts, history: History, samples: readonly Sample[]) => void;
  /** The worker is the same as before; the figures of the time when nobody listened are among these. */
  readonly onAgain: (samples: readonly Sample[]) => void;
  readonly onEvent: <E extends keyof StreamEvents>(event: E, data: StreamEvents[E]) => void;
  /**
   * It is tried again. Silent: there is a connection, and nothing comes of it. Crowded: the worker answers, but as many
   * as may look at once do already.
   */
  readonly onLost: (why: 'lost' | 'silent' | 'crowded') => void;
  readonly onLocked: (lock: Lock) => void;
}

const TOKEN_KEY = 'tsworker.token';
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

/** The worker is not shown to who asks like this. */
class Locked extends Error {
  readonly lock: Lock;

  constructor(lock: Lock) {
    super(lock.message);
    this.lock = lock;
  }
}

/** As many as may look at once do already. */
class Crowded extends Error {}

/** A connection as it is tried once. */
interface Attempt {
  readonly signal: AbortSignal;
  readonly silence: Silence;
}

/** Follows a worker, and comes back by itself when it was away. */
export class Connection {
  readonly #hears: Hears;
  #life: AbortController | undefined;
  #lastSeq = 0;
  /** When the worker that is known started. */
  #startedAtMs: number | undefined;

  constructor(hears: Hears) {
    this.#hears = hears;
  }

  /** Tries again at once, with this token where one is given. */
  open(token?: string): void {
    if (token !== undefined) sessionStorage.setItem(TOKEN_KEY, token);
    this.#life?.abort();
    this.#life = new AbortController();
    void this.#follow(this.#life.signal);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const silence = new Silence();
      try {
        await this.#listen({ signal: AbortSignal.any([signal, silence.signal]), silence }, () => {
          pauseMs = FIRST_PAUSE_MS;
        });
        this.#hears.onLost('lost');
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Locked) return this.#hears.onLocked(error.lock);
        if (error instanceof Crowded) this.#hears.onLost('crowded');
        else this.#hears.onLost(silence.signal.aborted ? 'silent' : 'lost');
      } finally {
        silence.ignore();
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  /** The place at the stream comes first: who gets none fetches nothing, and what happens meanwhile waits in it. */
  async #listen(attempt: Attempt, onEvent: () => void): Promise<void> {
    const stream = await this.#get(
      this.#startedAtMs === undefined ? 'events' : `events?after=${this.#lastSeq}`,
      attempt,
    );
    try {
      await this.#begin(attempt);
    } catch (error) {
      await stream.body?.cancel();
      throw error;
    }
    const events = new SseReader();
    for await (const piece of piecesOf(stream, attempt)) {
      for (const { event, data } of events.push(piece)) {
        onEvent();
        this.#take(event as keyof StreamEvents, data, attempt);
      }
    }
  }

  /** Fetches what has happened, unless this worker is known and nothing was missed for good. */
  async #begin(attempt: Attempt): Promise<void> {
    const history = await this.#json<History>('recording', attempt);
    const { startedAtMs } = history.header;
    const oldest = history.happenings[0]?.seq ?? 0;
    const samples = await this.#json<Sample[]>('samples', attempt);
    if (startedAtMs === this.#startedAtMs && oldest <= this.#lastSeq + 1) return this.#hears.onAgain(samples);
    const charts = await this.#json<Charts>('charts', attempt);
    this.#startedAtMs = startedAtMs;
    this.#lastSeq = history.happenings.at(-1)?.seq ?? 0;
    this.#hears.onBegin(charts, history, samples);
  }

  #take(event: keyof StreamEvents, text: string, { silence }: Attempt): void {
    const data = JSON.parse(text);
    // Nothing more comes of a recording.
    if (event === 'now' && !(data as StreamEvents['now']).live) silence.ignore();
    if (event === 'happened') {
      const last = (data as StreamEvents['happened']).at(-1)?.seq ?? 0;
      this.#lastSeq = Math.max(last, this.#lastSeq);
    }
    this.#hears.onEvent(event, data);
  }

  async #json<T>(name: string, attempt: Attempt): Promise<T> {
    let text = '';
    for await (const piece of piecesOf(await this.#get(name, attempt), attempt)) text += piece;
    return JSON.parse(text) as T;
  }

  async #get(name: string, { signal, silence }: Attempt): Promise<Response> {
    const token = sessionStorage.getItem(TOKEN_KEY);
    const response = await fetch(`/inspect/${name}`, { headers: headersWith(token), signal });
    silence.onHeard();
    if (response.status === 401) throw new Locked(await lockOf(response, token));
    if (response.status === 503) throw new Crowded();
    if (!response.ok) throw new Error(`${response.status}`);
    return response;
  }
}

/** What no header can carry, such as a curly quote that was copied along, is the token of nobody, and need not be sent. */
function headersWith(token: string | null): Headers {
  try {
    return new Headers(token === null ? {} : { authorization: `Bearer ${token}` });
  } catch {
    sessionStorage.removeItem(TOKEN_KEY);
    const message = 'It has letters, digits and signs of ASCII alone, and no spaces.';
    throw new Locked({ message, takesToken: true, isRefused: true });
  }
}

/** Only a server that takes a token asks for one. */
async function lockOf(response: Response, token: string | null): Promise<Lock> {
  const takesToken = /^Bearer\b/i.test(response.headers.get('www-authenticate') ?? '');
  const { message = 'The worker is not shown here.' } = await response.json().catch(() => ({}));
  return { message: String(message), takesToken, isRefused: takesToken && token !== null };
}

/** The text of an answer, as it comes. */
async function* piecesOf({ body }: Response, { silence }: Attempt): AsyncGenerator<string> {
  const pieces = body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let piece = await pieces?.read(); piece?.done === false; piece = await pieces?.read()) {
    silence.onHeard();
    yield piece.value;
  }
}
