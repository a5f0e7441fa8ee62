import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import { ACCOUNTS, type Account } from '../../machines/ledger.js';
import type { Rig } from '../conformance/rig.js';
import { type Answer, send } from './client.js';
import { objectOf } from './session-forms.js';
import type { Ask, Call, Create, Step } from './session-steps.js';

/** As many as the worker is told to hold. */
export const MOST_SESSIONS = 3;

export type Met = `${'create' | 'get' | 'health' | 'end' | 'ask' | 'internal end'} ${number}`;

type Counted = Exclude<Account, 'diskGib'>;

/** What is known of a session without asking the worker. */
interface Known {
  readonly id: string;
  readonly authText: string;
  readonly cost: number;
  readonly requestIdx: number;
  readonly told: object;
  isHeld: boolean;
}

/** Takes steps, and expects of each the answer and the change of the books that the rules say. */
export class SessionWorld {
  /** How often each answer was met. */
  readonly met: Partial<Record<Met, number>> = {};
  /** What the autoscaler must have been told in the end: the number and the status. */
  readonly finished: string[] = [];
  readonly #rig: Rig;
  readonly #known: Known[] = [];
  readonly #totals: Record<Counted, number>;

  constructor(rig: Rig) {
    this.#rig = rig;
    const { diskGib: _, ...totals } = rig.worker.view().ledger.totals;
    this.#totals = { ...totals };
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'create') await this.#create(step);
    else if (step.do === 'ask') await this.#ask(step);
    else await this.#call(step);
    const { ledger, sessions } = this.#rig.worker.view();
    const { diskGib: _, ...totals } = ledger.totals;
    expect({ step, totals, sessions }).toEqual({ step, totals: this.#totals, sessions: this.#held.length });
  }

  /** Makes room for one more. */
  async makeRoom(): Promise<void> {
    if (this.#held.length === MOST_SESSIONS) await this.endAll();
  }

  /** Nobody is left to the steps that follow. */
  async endAll(): Promise<void> {
    for (const known of this.#held) {
      const body = objectOf([
        ['session_id', JSON.stringify(known.id)],
        ['session_auth', known.authText],
      ]);
      expect((await this.#post('/session/end', body)).status).toBe(200);
      await this.#ended(known);
    }
    this.#known.length = 0;
  }

  get #held(): Known[] {
    return this.#known.filter(({ isHeld }) => isHeld);
  }

  async #create({ isGenuine, auth, lifetime, route, closePayload, before }: Create): Promise<void> {
    const { signature, ...proper } = this.#rig.authFor({ cost: 7 });
    const signed = JSON.stringify({ ...proper, signature: isGenuine ? signature : signature.toLowerCase() });
    const authText = auth.text === '' ? signed : `${signed.slice(0, -1)}, ${auth.text}}`;
    const payload = objectOf([
      ['lifetime', lifetime.text],
      ['on_close_route', route.text],
      ['on_close_payload', closePayload.text],
    ]);
    const answer = await this.#post(
      '/session/create',
      `{"auth_data": ${authText}, ${before}"payload": ${payload}}`,
    );
    const cost = auth.cost ?? 7;
    const isRight = lifetime.isRight && route.isRight && closePayload.isRight && auth.isWrong === undefined;
    this.#expect('create', answer, () => {
      if (auth.isWrong === 'early') return 422;
      if (!isGenuine) return 401;
      if (!isRight) return 422;
      return this.#held.length >= MOST_SESSIONS ? 429 : 201;
    });
    if (answer.status === 429) {
      this.#count({ requests: 1, rejected: cost });
      this.finished.push(`${proper.request_idx} Rejected`);
    }
    if (answer.status !== 201) return;
    this.#count({ requests: 1, received: cost, load: cost });
    const told = {
      auth_data: JSON.parse(authText),
      lifetime: Number(lifetime.text ?? 60),
      on_close_route: JSON.parse(route.text ?? 'null'),
      on_close_payload: JSON.parse(closePayload.text ?? '{}') ?? {},
    };
    const { session_id: id } = answer.body as { session_id: string };
    this.#known.push({ id, authText, cost, requestIdx: proper.request_idx, told, isHeld: true });
  }

  async #call({ do: name, isInternal, who, id, auth, strange, isCut }: Call): Promise<void> {
    const known = this.#known[who];
    const idText = id?.text ?? JSON.stringify(known?.id ?? 'nobody');
    const authText = auth === 'strange' ? strange : this.#authText(known, who, auth);
    const body = objectOf([
      ['session_id', idText],
      ['session_auth', authText],
    ]);
    const answer = await this.#post(`/session/${name}`, isCut ? body.slice(0, -1) : body, isInternal);
    const meant = id === null ? known : undefined;
    const isOwn = meant !== undefined && auth !== 'strange' && isSame(authText, meant.authText);
    this.#expect(isInternal ? 'internal end' : name, answer, () => {
      if (isInternal && name !== 'end') return 404;
      if (isCut || id?.isRight === false || authText === undefined) return 422;
      if (meant === undefined) return name === 'health' ? 200 : 400;
      if (!meant.isHeld) return { get: 400, health: 200, end: 410 }[name];
      return isOwn ? 200 : 401;
    });
    if (answer.status !== 200) return;
    if (name === 'health') expect(answer.body).toEqual({ ok: meant?.isHeld === true });
    else if (meant === undefined) throw new Error(`a session that nobody has was found: ${body}`);
    else if (name === 'get') expectTold(answer.body, meant);
    else await this.#ended(meant);
  }

  /** Something that is near to the `auth_data` of a session. */
  #authText(known: Known | undefined, who: number, form: Exclude<Call['auth'], 'strange'>): string {
    const own = known?.authText ?? '{}';
    if (form === "another's")
      return this.#known[(who + 1) % Math.max(this.#known.length, 1)]?.authText ?? '{}';
    if (form === 'more')
      return `${own.slice(0, -1)}${own === '{}' ? '' : ', '}"__proto__": {}, "newer": null}`;
    const members = Object.entries(JSON.parse(own));
    if (form === 'less') return JSON.stringify(Object.fromEntries(members.slice(1)));
    // A number that no double holds would be written as null.
    return form === 'turned round' && !own.includes('1e400')
      ? JSON.stringify(Object.fromEntries(members.reverse()))
      : own;
  }

  async #ask({ who, id, isGenuine, tokens }: Ask): Promise<void> {
    const known = this.#known[who];
    const auth = this.#rig.authFor(isGenuine ? {} : { signature: 'A'.repeat(344) });
    const idText = id?.text ?? JSON.stringify(known?.id ?? null);
    const body = `{"auth_data": ${JSON.stringify(auth)}, "session_id": ${idText}, "payload": {"max_tokens": ${tokens}}}`;
    const answer = await this.#post('/v1/completions', body);
    const isInSession = id !== null || known !== undefined;
    this.#expect('ask', answer, () => {
      if (id?.isRight === false) return 422;
      if (!isGenuine) return 401;
      return isInSession && (id !== null || !known?.isHeld) ? 410 : 200;
    });
    if (answer.status !== 200) return;
    this.#count({ requests: isInSession ? 0 : 1, received: tokens, served: tokens, load: tokens });
    if (!isInSession) this.finished.push(`${auth.request_idx} Success`);
    // The answer may be here a moment before its end is told.
    while (this.#rig.worker.view().requestsUnderWay > 0) await setImmediate();
  }

  async #ended(known: Known): Promise<void> {
    known.isHeld = false;
    this.#count({ served: known.cost });
    this.finished.push(`${known.requestIdx} Success`);
    // It is held until the model server was told.
    while (this.#rig.worker.view().sessions > this.#held.length) await setImmediate();
  }

  #count(amounts: Partial<Record<Counted, number>>): void {
    for (const account of ACCOUNTS) if (account !== 'diskGib') this.#totals[account] += amounts[account] ?? 0;
  }

  #expect(
    name: 'create' | 'get' | 'health' | 'end' | 'ask' | 'internal end',
    answer: Answer,
    predict: () => number,
  ) {
    const status = predict();
    expect({ name, status: answer.status, body: answer.status === status || answer.body }).toEqual({
      name,
      status,
      body: true,
    });
    this.met[`${name} ${status}`] = (this.met[`${name} ${status}`] ?? 0) + 1;
  }

  #post(path: string, body: string, isInternal = false): Promise<Answer> {
    const { port, internalPort } = this.#rig;
    const headers = { 'content-type': 'application/json' };
    return send(isInternal ? internalPort : port, path, { method: 'POST', headers, body });
  }
}

function isSame(one: string | undefined, other: string): boolean {
  return one !== undefined && sorted(JSON.parse(one)) === sorted(JSON.parse(other));
}

/** JSON of which only the order of members is lost; numbers that no double holds are all one. */
function sorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
  if (typeof value !== 'object' || value === null) return String(JSON.stringify(value));
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${sorted(member)}`);
  return `{${members.sort().join()}}`;
}

/** Compared as text: a member named `__proto__` is no member for most who compare values. */
function expectTold(body: unknown, { id, told }: Known): void {
  const { expiration, created_at, ...rest } = body as Record<string, unknown>;
  expect([typeof expiration, typeof created_at]).toEqual(['number', 'number']);
  expect(sorted(rest)).toBe(sorted(JSON.parse(JSON.stringify({ session_id: id, ...told }))));
}
