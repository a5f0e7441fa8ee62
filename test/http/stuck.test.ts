import { expect, it } from 'vitest';
import { LOOKS, Stuck } from '../../src/http/stuck.js';

/** An answer of which so much was written, and so much of that waits. */
function answerOf(bytesWritten: number, writableLength: number) {
  return { response: { socket: { bytesWritten, writableLength } } };
}

type Inside = ReturnType<typeof answerOf>;

/** How many looks it takes until the answer is found stuck, if `between` happens before each; null: it never is. */
function looksUntilFound(answer: Inside, between: (look: number) => void = () => {}): number | null {
  const stuck = new Stuck<Inside>();
  for (let look = 1; look <= 3 * LOOKS; look++) {
    between(look);
    if (stuck.look([answer]).length > 0) return look;
  }
  return null;
}

it('an answer of which bytes wait and none goes is stuck after as many looks, the first of which finds it so', () => {
  expect(looksUntilFound(answerOf(100, 1))).toBe(LOOKS + 1);
});

it('one of which nothing waits never is', () => {
  expect(looksUntilFound(answerOf(100, 0))).toBe(null);
});

it('one of which a byte goes now and then never is', () => {
  const answer = answerOf(100, 99);
  expect(
    looksUntilFound(answer, (look) => {
      if (look % LOOKS === 0) answer.response.socket.writableLength -= 1;
    }),
  ).toBe(null);
});

it('one to which bytes are added, while none goes, is', () => {
  const answer = answerOf(100, 50);
  expect(
    looksUntilFound(answer, () => {
      answer.response.socket.bytesWritten += 10;
      answer.response.socket.writableLength += 10;
    }),
  ).toBe(LOOKS + 1);
});

it('one that has moved is looked at as if it were new', () => {
  const answer = answerOf(100, 50);
  expect(
    looksUntilFound(answer, (look) => {
      if (look === LOOKS) answer.response.socket.writableLength -= 1;
    }),
  ).toBe(2 * LOOKS);
});

it('one that has left and comes again is looked at as if it were new', () => {
  const [stuck, answer] = [new Stuck<Inside>(), answerOf(100, 1)];
  for (let look = 0; look < LOOKS; look++) stuck.look([answer]);
  stuck.look([]);
  expect(stuck.look([answer])).toEqual([]);
});

it('only those that are stuck are found, and those without a connection are left alone', () => {
  const stuck = new Stuck<Inside | { response: { socket: null } | null }>();
  const [still, moving] = [answerOf(100, 10), answerOf(100, 90)];
  const found = () => {
    moving.response.socket.writableLength -= 1;
    return stuck.look([moving, { response: null }, still, { response: { socket: null } }]);
  };
  for (let look = 0; look < LOOKS; look++) expect(found()).toEqual([]);
  expect(found()).toEqual([still]);
});
