import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { Books, Fate } from './books.js';
import type { Wish } from './wish.js';

export interface Auth {
  readonly endpoint: string;
  readonly signature: string;
  readonly url: string;
}

/** How often each kind of client comes, of a hundred. */
const SHARES = { finishes: 45, 'waits its turn': 15, 'reads slowly': 8, leaves: 17, errs: 7, session: 8 };

type Kind = keyof typeof SHARES;

const SLOW_PIECES = 4;
const PIECE_BYTES = 64 * 1_024;
const MOST_UNITS = 100;
/** How long at most before who was turned away comes again. Sooner than a client that heeds `Retry-After`. */
const TURNED_AWAY_MS = 300;

/** What became of a request: `lost`: its connection broke before its answer was whole. */
type Answer = { readonly status: number; readonly error: string } | 'lost' | 'left';

/** Clients of one worker that come, leave, dawdle and hold sessions, as chance has it. */
export class Clients {
  readonly counts: Record<string, number> = {};
  readonly #agent = new Agent({ keepAliveTimeout: 1_000, keepAliveMaxTimeout: 1_000, connections: 256 });
  readonly #auth: Auth;
  readonly #books: Books;
  readonly #random: () => number;
  #lastIdx = 1_000_000;

  constructor(auth: Auth, books: Books, random: () => number) {
    this.#auth = auth;
    this.#books = books;
    this.#random = random;
  }

  /** So many clients at once, until the signal is aborted. Resolves when each has ended what it was at. */
  async storm(count: number, signal: AbortSignal): Promise<void> {
    const client = async () => {
      while (!signal.aborted) {
        await this.#act(this.#kind());
        await sleep(this.#random() * 20);
      }
    };
    await Promise.all(Array.from({ length: count }, client));
  }

  /** A request as large as all that may have been given up, so that no deficit is left. */
  async absorb(units: number): Promise<boolean> {
    const answer = await this.#whole('/parallel', { units, ms: 1, pieces: 1, bytes: 1 });
    return answer !== 'lost' && answer !== 'left' && answer.status === 200;
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  #kind(): Kind {
    let at = this.#random() * 100;
    const found = Object.entries(SHARES).find(([, share]) => {
      at -= share;
      return at < 0;
    });
    return (found?.[0] ?? 'finishes') as Kind;
  }

  async #act(kind: Kind): Promise<void> {
    const wish = this.#wish();
    if (kind === 'finishes') await this.#whole('/parallel', wish);
    if (kind === 'waits its turn') await this.#whole('/in-turn', wish);
    if (kind === 'reads slowly') {
      await this.#whole('/parallel', { ...wish, pieces: SLOW_PIECES, bytes: PIECE_BYTES }, 20);
    }
    if (kind === 'errs') await this.#whole('/parallel', { ...wish, status: 500 });
    if (kind === 'leaves') await this.#leaves({ ...wish, ms: 2_000, pieces: 40 });
    if (kind === 'session') await this.#session();
  }

  #wish(): Wish {
    const units = 1 + Math.floor(this.#random() * MOST_UNITS);
    return {
      units,
      ms: Math.floor(this.#random() * 40),
      pieces: 1 + Math.floor(this.#random() * 8),
      bytes: 200,
    };
  }

  /** To the end of the answer, which is read as slowly as is said. */
  async #whole(path: string, wish: Wish, pauseMs = 0): Promise<Answer> {
    const requestIdx = ++this.#lastIdx;
    const answer = await this.#ask(path, this.#envelope(requestIdx, wish), { pauseMs });
    this.#note(requestIdx, wish.units, fateOf(answer));
    if (isTurnedAway(answer)) await sleep(this.#random() * TURNED_AWAY_MS);
    return answer;
  }

  async #leaves(wish: Wish): Promise<void> {
    const requestIdx = ++this.#lastIdx;
    const after = this.#random() * 150;
    const answer = await this.#ask('/parallel', this.#envelope(requestIdx, wish), { leaveAfterMs: after });
    this.#note(requestIdx, wish.units, fateOf(answer));
  }

  async #session(): Promise<void> {
    const requestIdx = ++this.#lastIdx;
    const auth = this.#authOf(requestIdx, 50);
    const create = { auth_data: auth, payload: { lifetime: 30 } };
    let id = '';
    const created = await this.#ask('/session/create', create, {
      onBody: (body) => {
        id = String(Object(JSON.parse(body)).session_id);
      },
    });
    const isHeld = typeof created === 'object' && created.status === 201;
    // It ends by itself, or with the worker, if its own client can't end it any more.
    this.#note(requestIdx, 50, isHeld ? { may: ['Success'], must: true } : fateOf(created));
    if (!isHeld) return;
    for (let count = 0; count < 3; count++) {
      const wish = this.#wish();
      const answer = await this.#ask('/parallel', { auth_data: auth, payload: wish, session_id: id });
      const what = inSessionOf(answer);
      this.#count(`in a session: ${what ?? 'gone'}`);
      if (what !== null) this.#books.inSession(what, wish.units);
    }
    await this.#ask('/session/end', { session_id: id, session_auth: auth });
  }

  #note(requestIdx: number, units: number, fate: Pick<Fate, 'may' | 'must'> | null): void {
    this.#count(fate === null ? 'not taken' : fate.may.join(' or '));
    if (fate !== null) this.#books.fate(requestIdx, { units, ...fate });
  }

  #count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  #authOf(requestIdx: number, cost: number) {
    return { ...this.#auth, cost, reqnum: 1, request_idx: requestIdx };
  }

  #envelope(requestIdx: number, wish: Wish): object {
    return { auth_data: this.#authOf(requestIdx, wish.units), payload: wish, session_id: null };
  }

  async #ask(
    path: string,
    envelope: object,
    { pauseMs = 0, leaveAfterMs, onBody }: AskOptions = {},
  ): Promise<Answer> {
    const leave = new AbortController();
    const timer = leaveAfterMs === undefined ? undefined : setTimeout(() => leave.abort(), leaveAfterMs);
    try {
      const { statusCode: status, body } = await request(`${this.#auth.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(envelope),
        dispatcher: this.#agent,
        signal: leave.signal,
      });
      let text = '';
      for await (const piece of body) {
        if (text.length < 1_000) text += String(piece);
        if (pauseMs > 0) await sleep(pauseMs);
      }
      if (status < 400) onBody?.(text);
      return { status, error: status < 400 ? '' : errorIn(text) };
    } catch {
      return leave.signal.aborted ? 'left' : 'lost';
    } finally {
      clearTimeout(timer);
    }
  }
}

interface AskOptions {
  readonly pauseMs?: number;
  readonly leaveAfterMs?: number;
  readonly onBody?: (body: string) => void;
}

/** The model's own errors have no code. */
function errorIn(text: string): string {
  try {
    return String(Object(JSON.parse(text)).error ?? '');
  } catch {
    return '';
  }
}

const REFUSED = ['not_accepting', 'queue_time_exceeded', 'too_many_sessions'];

/** What may be told of a request that was answered so; null: nothing. */
function fateOf(answer: Answer): Pick<Fate, 'may' | 'must'> | null {
  if (answer === 'left') return { may: ['Cancelled', 'Success', 'Error', 'Rejected'], must: false };
  if (answer === 'lost') return { may: ['Error', 'Cancelled'], must: false };
  if (answer.status < 400) return { may: ['Success'], must: true };
  if (isTurnedAway(answer)) return { may: ['Rejected'], must: true };
  return answer.error === 'no_public_key' ? null : { may: ['Error'], must: true };
}

function isTurnedAway(answer: Answer): boolean {
  return typeof answer !== 'string' && REFUSED.includes(answer.error);
}

function inSessionOf(answer: Answer): 'served' | 'failed' | 'rejected' | 'lost' | null {
  if (typeof answer === 'string') return 'lost';
  if (answer.status < 400) return 'served';
  if (answer.error === 'session_gone') return null;
  return REFUSED.includes(answer.error) ? 'rejected' : 'failed';
}
