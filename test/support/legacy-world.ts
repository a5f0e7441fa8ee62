import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect } from 'vitest';
import { pythonNumber, pythonString } from '../../src/dialects/python-text.js';
import type { Rig } from '../conformance/rig.js';
import { type Answer, send } from './client.js';
import { AMOUNTS, OWN, STRANGE_REQNUMS, UNSIGNED } from './legacy-forms.js';

const mostly = <T>(first: T, others: readonly [T, ...T[]], weight = 8) =>
  fc.oneof({ weight, arbitrary: fc.constant(first) }, fc.constantFrom(...others));

const [firstAmount = ['256', true] as const, ...otherAmounts] = AMOUNTS;

const signed = fc.record({
  do: fc.constant('signed' as const),
  cost: fc.oneof({ weight: 6, arbitrary: fc.constant(firstAmount) }, fc.constantFrom(...otherAmounts)),
  /** Above the highest that was taken. */
  ahead: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 3 }) },
    fc.integer({ min: -150, max: 60 }),
  ),
  reqnum: fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, fc.constantFrom(...STRANGE_REQNUMS)),
  signature: mostly('genuine', ['turned', 'empty', 'cut', 'no text', 'of another body']),
  url: mostly('own', ["another's", 'with a slash', 'no text'], 12),
  endpoint: mostly('e', ['', 'é🦊\ud800"\\\n', 'x'.repeat(8_000), 'x'.repeat(9_000)]),
  /** A member that is there again, behind the others. */
  again: mostly('', ['"cost": 5', '"signature": "AAAA"', '"reqnum": null', '"c\\u006fst": 5']),
  own: fc.oneof(
    { weight: 5, arbitrary: fc.constant(OWN[0] ?? (['', true] as const)) },
    fc.constantFrom(...OWN),
  ),
});

const repeated = fc.record({ do: fc.constant('repeated' as const), back: fc.nat(130) });

const unsigned = fc.record({
  do: fc.constant('unsigned' as const),
  text: fc.oneof(
    fc.constantFrom(...UNSIGNED),
    fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
  ),
});

const step = fc.record({
  given: fc.oneof(
    { weight: 5, arbitrary: signed },
    { weight: 2, arbitrary: repeated },
    { weight: 2, arbitrary: unsigned },
  ),
  contentType: mostly('application/json', ['text/plain', 'application/json; charset=utf-16'], 20),
});

type Signed = typeof signed extends fc.Arbitrary<infer T> ? T : never;
export type LegacyStep = typeof step extends fc.Arbitrary<infer T> ? T : never;

export const legacySteps: fc.Arbitrary<LegacyStep[]> = fc.array(step, { maxLength: 25, size: 'max' });

/** A body, and what is known of it without asking the worker. */
interface Body {
  readonly text: string;
  readonly isSigned: boolean;
  readonly isRight: boolean;
  readonly isGenuine: boolean;
  readonly reqnum: number;
  readonly signedText: string;
  /** What the model gets of it, if it is JSON. */
  readonly own: string;
}

/** Takes steps, and expects of each the answer and the change of the books that the rules say. */
export class LegacyWorld {
  readonly totals: { requests: number; received: number; served: number; errored: number };
  /** The answers that were met. */
  readonly met = new Set<string>();
  readonly #rig: Rig;
  readonly #takesUnsigned: boolean;
  readonly #sent: Body[] = [];
  /** The signed texts that were taken, newest last. */
  readonly #taken: string[] = [];
  #highest = Number.NEGATIVE_INFINITY;

  private constructor(rig: Rig, takesUnsigned: boolean) {
    this.#rig = rig;
    this.#takesUnsigned = takesUnsigned;
    const { requests, received, served, errored } = rig.worker.view().ledger.totals;
    this.totals = { requests, received, served, errored };
  }

  /** Signatures are looked at once the key is there, which where they are not demanded nobody waits for. */
  static async around(rig: Rig, { takesUnsigned }: { takesUnsigned: boolean }): Promise<LegacyWorld> {
    const world = new LegacyWorld(rig, takesUnsigned);
    const { text } = world.#seal({ ...PLAIN, signature: 'turned' });
    await expect.poll(() => world.#send(text).then(({ status }) => status)).toBe(401);
    return world;
  }

  async take({ given, contentType }: LegacyStep): Promise<void> {
    const body = this.#bodyOf(given);
    const asked = this.#rig.model.requests.length;
    const answer = await this.#send(body.text, contentType);
    const expected = this.#expected(body, contentType);
    expect({ body: body.text.slice(0, 400), answer: nameOf(answer, expected) }).toEqual({
      body: body.text.slice(0, 400),
      answer: expected,
    });
    this.met.add(expected === 'the model' && answer.status !== 200 ? 'model' : nameOf(answer, ''));
    if (expected === '400' || expected === '415') this.#count({ requests: 1 });
    const received = this.#rig.model.requests.slice(asked);
    expect(received.map((request) => request.body)).toEqual(expected === 'the model' ? [body.own] : []);
    if (expected === 'the model') this.#countWork(body.own, answer);
    // The answer may be here a moment before its end is told.
    while (this.#rig.worker.view().requestsUnderWay > 0) await setImmediate();
    expect(this.#rig.worker.view().ledger.totals).toMatchObject(this.totals);
  }

  /** The name of the answer that the rules say; `the model`: that of the model server. */
  #expected({ isSigned, isRight, isGenuine, reqnum, signedText, own }: Body, contentType: string): string {
    if (contentType !== 'application/json') return '415';
    if (own === '' && !isSigned) return '400';
    if (!isSigned && !this.#takesUnsigned) return '401 unsigned';
    if (!isRight) return '422';
    if (!isGenuine) return '401';
    if (isSigned) {
      if (this.#highest - reqnum > 100 || this.#taken.slice(-100).includes(signedText)) return '401 repeated';
      this.#highest = Math.max(this.#highest, reqnum);
      this.#taken.push(signedText);
    }
    return parsed(own) === undefined ? '400' : 'the model';
  }

  #bodyOf(given: LegacyStep['given']): Body {
    if (given.do === 'unsigned') {
      // Whoever decodes UTF-8 takes the mark of its order away.
      const own = given.text.replace(/^\ufeff/, '');
      return {
        text: given.text,
        isSigned: false,
        isRight: true,
        isGenuine: true,
        reqnum: 0,
        signedText: '',
        own,
      };
    }
    if (given.do === 'repeated') return this.#sent.at(-1 - given.back) ?? this.#seal(PLAIN);
    const body = this.#seal(given);
    this.#sent.push(body);
    return body;
  }

  #seal({ cost, ahead, reqnum, signature, url, endpoint, again, own }: Signed): Body {
    const [reqnumText, isReqnum] = reqnum ?? [String(Math.max(this.#highest, 0) + ahead), true];
    const written = {
      own: this.#rig.url,
      "another's": 'http://203.0.113.7:1',
      'with a slash': `${this.#rig.url}/`,
    };
    const urlText = url === 'no text' ? '7' : JSON.stringify(written[url as keyof typeof written]);
    const signedText = textOf(cost[0], endpoint, reqnumText, urlText);
    const genuine = this.#rig.autoscaler.sign(
      signature === 'of another body' ? `${signedText} ` : signedText,
    );
    const signatures: Record<string, string> = {
      turned: [...genuine].reverse().join(''),
      empty: '',
      cut: genuine.slice(0, -4),
    };
    const sealText = signature === 'no text' ? '7' : JSON.stringify(signatures[signature] ?? genuine);
    const members = [
      `"cost": ${cost[0]}`,
      `"endpoint": ${JSON.stringify(endpoint)}`,
      `"reqnum": ${reqnumText}`,
      `"url": ${urlText}`,
      `"signature": ${sealText}`,
      own[0],
    ];
    const isText = url !== 'no text' && signature !== 'no text' && endpoint.length <= 8_192;
    return {
      text: `{${[...members, ...(again === '' ? [] : [again])].join(', ')}}`,
      isSigned: true,
      // Of a member that is there twice the last one counts.
      isRight: (cost[1] || again.endsWith('st": 5')) && isReqnum && isText && again !== '"reqnum": null',
      isGenuine: signature === 'genuine' && url === 'own' && (again === '' || isSameCost(cost[0], again)),
      reqnum: Number(reqnumText),
      signedText,
      own: `{${own[0]}}`,
    };
  }

  #countWork(own: string, { status }: Answer): void {
    const workload = workloadOf(parsed(own)?.value);
    this.#count({ requests: 1, received: workload, [status < 400 ? 'served' : 'errored']: workload });
  }

  #count(amounts: Partial<LegacyWorld['totals']>): void {
    for (const account of ['requests', 'received', 'served', 'errored'] as const) {
      this.totals[account] += amounts[account] ?? 0;
    }
  }

  #send(body: string, contentType = 'application/json'): Promise<Answer> {
    return send(this.#rig.port, '/v1/completions', {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
  }
}

const PLAIN: Signed = {
  do: 'signed',
  cost: ['256', true],
  ahead: 1,
  reqnum: null,
  signature: 'genuine',
  url: 'own',
  endpoint: 'e',
  again: '',
  own: ['"max_tokens": 2', true],
};

/** As Python writes it. */
function textOf(cost: string, endpoint: string, reqnum: string, urlText: string): string {
  const numbers = [cost, reqnum].map((text) => (/^-?[\d.]/.test(text) ? pythonNumber(text) : text));
  return [
    '{',
    `    "cost": ${numbers[0]},`,
    `    "endpoint": ${pythonString(endpoint)},`,
    `    "reqnum": ${numbers[1]},`,
    `    "url": ${urlText}`,
    '}',
  ].join('\n');
}

function isSameCost(cost: string, again: string): boolean {
  return again.endsWith('st": 5') && cost === '5';
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** What the route counts: what is no amount counts as 100. */
function workloadOf(body: unknown): number {
  if (typeof body !== 'object' || body === null || !('max_tokens' in body)) return 100;
  const tokens = Number(body.max_tokens);
  return tokens >= 0 && tokens <= 1e12 ? tokens : 100;
}

/** An answer by its status and, where it is told apart, its code. What the model answers has no code of ours. */
function nameOf({ status, body }: Answer, expected: string): string {
  const code = typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  if (code === 'repeated' || code === 'unsigned') return `${status} ${code}`;
  const isOurs = typeof code === 'string' || status === 422;
  return expected === 'the model' && !isOurs && status < 500 ? 'the model' : String(status);
}
