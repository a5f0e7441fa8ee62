/** Texts of a member, and whether it has the right form. */
export const AMOUNTS: readonly (readonly [text: string, isRight: boolean])[] = [
  ...['256', '256.0', '1e3', '1e-7', '0', '12345678901234567890', '1E5'].map((text) => [text, true] as const),
  ...['-1', '1e400', '"256"', 'null', '[]', '{}', 'true'].map((text) => [text, false] as const),
];

export const STRANGE_REQNUMS: readonly (readonly [text: string, isRight: boolean])[] = [
  ...['7.0', '1e2', '-5', '-0'].map((text) => [text, true] as const),
  ...['1.5', '1e300', '9007199254740993', '"7"', 'null', '{}'].map((text) => [text, false] as const),
];

/** The model's own members. Those that are no JSON are seen only once the request is known to be genuine. */
export const OWN: readonly (readonly [text: string, isJson: boolean])[] = [
  ['"max_tokens": 2', true],
  ['"max_tokens": 1, "n": 1.0, "big": 12345678901234567890', true],
  ['"max_tokens": 9, "max_tokens": 1', true],
  ['"max_tokens": 1, "__proto__": {"max_tokens": 7}, "constructor": null', true],
  ['"max_tokens": 1, "auth_data": {"cost": 5, "url": "x"}, "payload": {"cost": 1}, "session_id": "x"', true],
  ['"max_tokens": 1, "\\u0000": "\\ud800", "é": "🦊"', true],
  [`"max_tokens": 1, "deep": ${'['.repeat(3_000)}${']'.repeat(3_000)}`, true],
  ['"max_tokens": 1, "broken": {no JSON}', false],
  ['"max_tokens": 01', false],
];

/** Bodies of which one of the five is missing, or which are nothing of the kind. */
export const UNSIGNED = [
  ...[
    '{}',
    '[]',
    '7',
    '"x"',
    'null',
    '',
    '{',
    '{"max_tokens": 1}',
    '{"max_tokens": -1}',
    '{"max_tokens": "x"}',
  ],
  '{"max_tokens": 1, "cost": -1, "endpoint": 7, "reqnum": null, "signature": []}',
  '{"max_tokens": 1, "auth_data": {"cost": 1, "endpoint": "e", "reqnum": 1, "signature": "x", "url": "y"}}',
  '{"max_tokens": 1e400}',
  '{"__proto__": {"cost": 1}, "max_tokens": 2}',
  '\ufeff{"max_tokens": 1}',
];
