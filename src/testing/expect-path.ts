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
  return {
    toEqual: function toEqual(states) {
      const actual = subject.path();
      if (!isDeepStrictEqual(actual, states)) throw failure(actual, 'not', states, toEqual);
    },
    toInclude: function toInclude(states) {
      const actual = subject.path();
      if (!includes(actual, states)) throw failure(actual, 'which does not lead over', states, toInclude);
    },
  };
}

/** Its stack begins where the matcher was called. */
function failure(
  actual: readonly string[],
  what: string,
  expected: readonly string[],
  matcher: (states: readonly string[]) => void,
): AssertionError {
  const message = `The path is ${inWords(actual)}, ${what} ${inWords(expected)}.`;
  return new AssertionError({ message, actual, expected, stackStartFn: matcher });
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
