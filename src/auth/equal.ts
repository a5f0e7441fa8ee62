import { createHash, timingSafeEqual } from 'node:crypto';

/** Old launchers set this word as the token, so everybody knows it. */
const KNOWN_WORD = 'mtoken';

/**
 * Whether both are the same secret, in a time that tells nothing about either. No secret at all, and the
 * word that everybody knows, are not the same as anything.
 */
export function sameSecret(a: string, b: string): boolean {
  // Both are compared before anything else is looked at.
  const same = sameText(a, b);
  return same && a !== '' && a !== KNOWN_WORD;
}

/** Whether both are the same text, in a time that depends on neither: their digests are compared, which have one length. */
export function sameText(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * Whether two values that came from JSON mean the same: the order of members does not matter, and -0 is 0.
 * It walks with a list of its own, because JSON may be nested deeper than the call stack is.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  const pending: [unknown, unknown][] = [[a, b]];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    const [one, other] = pair;
    if (one === other) continue;
    if (!isNested(one) || !isNested(other) || Array.isArray(one) !== Array.isArray(other)) return false;
    const keys = Object.keys(one);
    if (keys.length !== Object.keys(other).length) return false;
    for (const key of keys) {
      if (!Object.hasOwn(other, key)) return false;
      pending.push([one[key], other[key]]);
    }
  }
  return true;
}

/** An object or an array, which is compared by its indices as keys. */
function isNested(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
