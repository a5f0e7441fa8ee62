import type { LogRule, LogRules } from '../backend/types.js';

/** What a line of the model server's log means. */
export type LineMeaning = 'loaded' | 'failed' | 'info';

/** How much of a line is looked at: a regular expression may take very long on a line of megabytes. */
const LOOKED_AT = 8 * 1024;

const ORDER: readonly LineMeaning[] = ['failed', 'loaded', 'info'];

type Matches = (line: string) => boolean;

/** Makes the function that says what a line means; null: nothing. Where several rules match, failure wins. */
export function compileRules(rules: LogRules): (line: string) => LineMeaning | null {
  const compiled = ORDER.map((meaning) => ({ meaning, rules: (rules[meaning] ?? []).map(compileRule) }));
  return (line) => {
    const head = line.slice(0, LOOKED_AT);
    const found = compiled.find((each) => each.rules.some((matches) => matches(head)));
    return found?.meaning ?? null;
  };
}

function compileRule(rule: LogRule): Matches {
  if (typeof rule === 'string') return (line) => line.includes(rule);
  if (!(rule instanceof RegExp)) return (line) => line.startsWith(rule.prefix);
  // A copy: a global or sticky expression goes on from where its last match ended, which is the author's to use.
  const own = new RegExp(rule);
  return (line) => {
    own.lastIndex = 0;
    return own.test(line);
  };
}
