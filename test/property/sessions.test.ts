import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  beginClosing,
  beginRequest,
  closeSession,
  createSession,
  endRequest,
  expired,
  findSession,
  openSessions,
  type Sessions,
  wasClosed,
} from '../../machines/sessions.js';

type Step =
  | { do: 'create'; id: string; lifetimeMs: number }
  | { do: 'begin' | 'end' | 'close'; id: string }
  | { do: 'closing'; id: string }
  | { do: 'sweep' }
  | { do: 'time'; ms: number };

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('create' as const),
        id,
        lifetimeMs: fc.constantFrom(1, 50, 400),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constantFrom('begin' as const, 'end' as const, 'close' as const), id }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('closing' as const), id }) },
    { weight: 2, arbitrary: fc.constant({ do: 'sweep' as const }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.nat(100) }) },
  ),
  { maxLength: 80, size: 'max' },
);

/** What is known of a session without the help of the table. */
interface Known {
  readonly lifetimeMs: number;
  lastActivityMs: number;
  inFlight: number;
  closing: boolean;
  timesLeft: number;
}

class Model {
  sessions: Sessions;
  nowMs = 0;
  readonly known = new Map<string, Known>();
  readonly met = { full: 0, taken: 0, closing: 0, closed: 0, unknown: 0, expired: 0, left: 0 };

  constructor(max: number) {
    this.sessions = openSessions({ max });
  }

  take(step: Step): void {
    if (step.do === 'time') this.nowMs += step.ms;
    else if (step.do === 'sweep') this.#sweep();
    else if (step.do === 'create') this.#create(step.id, step.lifetimeMs);
    else if (step.do === 'begin') this.#begin(step.id);
    else if (step.do === 'end') this.#end(step.id);
    else if (step.do === 'closing') this.#beginClosing(step.id);
    else this.#close(step.id);
  }

  /** Those that have been created and have not left. */
  present(): [string, Known][] {
    return [...this.known].filter(([, { timesLeft }]) => timesLeft === 0);
  }

  #create(name: string, lifetimeMs: number): void {
    const opening = {
      id: name,
      auth: null,
      lifetimeMs,
      onCloseRoute: null,
      onClosePayload: null,
      workload: 1,
      requestId: 1,
      requestIdx: null,
    };
    const change = createSession(this.sessions, opening, this.nowMs);
    if (!change.ok) {
      this.met[change.refusal] += 1;
      const { max } = this.sessions;
      const expected = this.known.has(name) ? 'taken' : 'full';
      expect(change.refusal).toBe(expected);
      if (expected === 'full') expect(this.present().length).toBe(max);
      return;
    }
    expect(this.known.has(name)).toBe(false);
    this.known.set(name, {
      lifetimeMs,
      lastActivityMs: this.nowMs,
      inFlight: 0,
      closing: false,
      timesLeft: 0,
    });
    this.sessions = change.sessions;
  }

  #begin(name: string): void {
    const known = this.known.get(name);
    const change = beginRequest(this.sessions, name, this.nowMs);
    if (!change.ok) {
      this.#expectRefusal(known, change.refusal);
      return;
    }
    if (known === undefined) throw new Error('A request began in a session that never was.');
    expect([known.closing, known.timesLeft]).toEqual([false, 0]);
    known.inFlight += 1;
    known.lastActivityMs = this.nowMs;
    this.sessions = change.sessions;
  }

  #end(name: string): void {
    const known = this.known.get(name);
    if (known !== undefined && known.timesLeft === 0 && known.inFlight > 0) {
      known.inFlight -= 1;
      known.lastActivityMs = this.nowMs;
    }
    this.sessions = endRequest(this.sessions, name, this.nowMs);
  }

  #beginClosing(name: string): void {
    const known = this.known.get(name);
    const change = beginClosing(this.sessions, name);
    if (!change.ok) {
      this.#expectRefusal(known, change.refusal);
      return;
    }
    expect([known?.closing, known?.timesLeft]).toEqual([false, 0]);
    if (known) known.closing = true;
    this.sessions = change.sessions;
  }

  /** Closes what is being closed, as the one that began it does in the end. */
  #close(name: string): void {
    const known = this.known.get(name);
    if (known !== undefined && !known.closing) return;
    const after = closeSession(this.sessions, name);
    if (after === this.sessions) {
      expect(known?.timesLeft ?? 1).toBe(1);
      return;
    }
    if (known) known.timesLeft += 1;
    this.met.left += 1;
    this.sessions = after;
  }

  #sweep(): void {
    for (const name of expired(this.sessions, this.nowMs)) {
      const known = this.known.get(name);
      if (known === undefined) throw new Error('A session expired that never was.');
      expect([known.inFlight, known.closing]).toEqual([0, false]);
      expect(this.nowMs).toBeGreaterThanOrEqual(known.lastActivityMs + known.lifetimeMs);
      this.met.expired += 1;
      this.#beginClosing(name);
    }
    // None that is due stays: all that are left are busy, closing, or young.
    for (const [, { inFlight, closing, lastActivityMs, lifetimeMs }] of this.present()) {
      expect(inFlight > 0 || closing || lastActivityMs + lifetimeMs > this.nowMs).toBe(true);
    }
  }

  #expectRefusal(known: Known | undefined, refusal: keyof Model['met']): void {
    this.met[refusal] += 1;
    const otherwise = known?.timesLeft === 1 ? 'closed' : 'closing';
    expect(refusal).toBe(known === undefined ? 'unknown' : otherwise);
  }
}

it('sessions expire on time and never while busy, are no more than their limit, and leave exactly once', () => {
  const met = { full: 0, taken: 0, closing: 0, closed: 0, unknown: 0, expired: 0, left: 0 };
  fc.assert(
    fc.property(fc.constantFrom(0, 1, 3), steps, (max, all) => {
      const model = new Model(max);
      for (const step of all) {
        model.take(step);
        const present = model.present();
        expect([...model.sessions.rows.keys()].toSorted()).toEqual(present.map(([name]) => name).toSorted());
        if (max > 0) expect(present.length).toBeLessThanOrEqual(max);
        for (const [name, known] of present) {
          const session = findSession(model.sessions, name);
          expect(session?.expiresAtMs).toBe(known.lastActivityMs + known.lifetimeMs);
          expect(session?.inFlight).toBe(known.inFlight);
        }
        for (const [name, { timesLeft }] of model.known) {
          expect(timesLeft).toBeLessThanOrEqual(1);
          expect(wasClosed(model.sessions, name)).toBe(timesLeft === 1);
        }
      }
      for (const name of Object.keys(met) as (keyof typeof met)[]) met[name] += model.met[name];
    }),
    { numRuns: 300 },
  );
  // So that steps which never meet trouble do not pass for a proof.
  for (const [name, count] of Object.entries(met)) expect([name, count > 20]).toEqual([name, true]);
});
