/**
 * The forms in which clients write the parts of a session call, each with what is to be made of it. All are texts,
 * since what JSON can say is more than what a value can: members that are there twice, numbers that no double holds.
 */
export interface Form {
  /** JSON; undefined: the part is not there. */
  readonly text: string | undefined;
  readonly isRight: boolean;
}

const right = (text: string | undefined): Form => ({ text, isRight: true });
const wrong = (text: string | undefined): Form => ({ text, isRight: false });

export function nested(depth: number): string {
  return `${'['.repeat(depth)}${']'.repeat(depth)}`;
}

/** In seconds; without one it is 60. */
export const LIFETIMES: readonly Form[] = [
  ...[undefined, '60', '86400', '3600.5', '1e4', '8.64E+4'].map(right),
  ...['0', '-0', '-1', '-1e308', '86400.1', '1e308', '1e400', '99999999999999999999'].map(wrong),
  ...['"60"', 'null', 'true', '[]', '[60]', '{}', '{"__proto__": 60}'].map(wrong),
];

export const CLOSE_ROUTES: readonly Form[] = [
  ...[undefined, 'null', '"/close"', '"/a/b.c~d-e"', '"/\\u0063lose"', '"/../.."', '"/__proto__"'].map(right),
  ...['"//elsewhere"', '"http://elsewhere/"', '"close"', '""', '"/a?b"', '"/a b"', '"/\\u0000"'].map(wrong),
  ...['"/close\\r\\nx: y"', '"/ü"', '"/\\\\elsewhere"', '7', '{}', '["/close"]', 'false'].map(wrong),
];

export const CLOSE_PAYLOADS: readonly Form[] = [
  ...[undefined, 'null', '{}', '{"a": [1e400, -0]}', '{"constructor": 1, "toString": null}'].map(right),
  ...['{"session_id": "mine"}', '{"a": 1, "a": 2}', '{"": "\\ud800"}', `{"deep": ${nested(400)}}`].map(right),
  ...['[]', '"x"', '7', 'false', `{"deep": ${nested(600)}}`].map(wrong),
];

/** What stands behind the proper members of `auth_data`: of a member that is there twice the last one counts. */
export interface AuthForm {
  readonly text: string;
  /** early: seen before the signature is looked at; late: afterwards. */
  readonly isWrong?: 'early' | 'late';
  /** In place of the proper one. */
  readonly cost?: number;
}

export const AUTHS: readonly AuthForm[] = [
  { text: '' },
  { text: '"cost": 5', cost: 5 },
  { text: '"cost": "x", "cost": 0', cost: 0 },
  { text: '"__proto__": {"cost": -1}, "constructor": null, "toString": 1' },
  { text: '"\\u0000\\ud83d\\ude00": "\\ud800", "é": "\\u00e9"' },
  { text: `"deep": ${nested(400)}` },
  { text: '"huge": 1e400, "tiny": 1e-400, "minus": -0' },
  ...['-1', '-1e308', '1e400', '"5"', 'null', '[]', '{}', 'true'].map((cost) => early(`"cost": ${cost}`)),
  ...['1.5', '1e300', '9007199254740993', '"7"', 'null'].map((idx) => early(`"request_idx": ${idx}`)),
  ...['"reqnum": null', '"url": null', '"endpoint": 7', `"endpoint": "${'e'.repeat(9_000)}"`].map(early),
  early(`"long": "${'x'.repeat(300_000)}"`),
  { text: '"cost": 1e308', isWrong: 'late' },
  { text: '"cost": 1000000000001', isWrong: 'late' },
  { text: `"deep": ${nested(600)}`, isWrong: 'late' },
];

function early(text: string): AuthForm {
  return { text, isWrong: 'early' };
}

/** Names of sessions that nobody has. Those that are no text are wrong by their form. */
export const STRANGE_IDS: readonly Form[] = [
  ...['"nobody"', '""', '"__proto__"', '"constructor"', '"hasOwnProperty"', '"\\u0000"'].map(right),
  right(`"${'x'.repeat(5_000)}"`),
  ...['7', '1e400', '[]', '{}', 'true', '["nobody"]'].map(wrong),
];

/** What is no `auth_data` of anybody. */
export const STRANGE_AUTHS: readonly (string | undefined)[] = [
  ...[undefined, 'null', '{}', '[]', '7', '1e400', '""', '"__proto__"', '{"__proto__": null}'],
  nested(20_000),
];

/** The text of an object with these members, in this order. */
export function objectOf(members: readonly (readonly [name: string, text: string | undefined])[]): string {
  const written = members.flatMap(([name, text]) =>
    text === undefined ? [] : [`${JSON.stringify(name)}: ${text}`],
  );
  return `{${written.join(', ')}}`;
}
