import { AssertionError } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';

/** What goes through states: a worker, or a machine of its own. */
export interface HasPath {
  /** The states that it has entered, in order. */
  path(): readonly string[];
}

export interface PathExpectation {
  /** It has entered these states, in this order, and no others. */
  toEqual(states: readonly string[]): void;
  /** It has entered these states in this order, whatever came between. */
  toInclude(states: readonly string[]): void;
}

/**
 * What is expected of the states that a worker has entered. What is not so throws an `AssertionError`
 * of `node:assert`, which every test runner shows.
 */
export function expectPath(subject: HasPath): PathExpectation {
  const check = (states: readonly string[], holds: (actual: readonly string[]) => boolean, what: string) => {
    const actual = subject.path();
    if (holds(actual)) return;
    throw new AssertionError({
      message: `The path is ${inWords(actual)}, ${what} ${inWords(states)}.`,
      actual,
      expected: states,
      stackStartFn: expectPath,
    });
  };
  return {
    toEqual: (states) => check(states, (actual) => isDeepStrictEqual(actual, states), 'not'),
    toInclude: (states) => check(states, (actual) => includes(actual, states), 'which does not lead over'),
  };
}

function includes(actual: readonly string[], states: readonly string[]): boolean {
  let from = 0;
  return states.every((state) => {
    const at = actual.indexOf(state, from);
    from = at + 1;
    return at >= 0;
  });
}

function inWords(path: readonly string[]): string {
  return path.length === 0 ? 'empty' : path.join(' → ');
}
