import { describe, expect, it } from 'vitest';
import { asWorkerError, ERRORS, messageOf, WorkerError } from '../../src/errors.js';

it('every error has a status that a client can be answered with, and a message that is a sentence', () => {
  for (const [code, { status, message }] of Object.entries(ERRORS)) {
    const error = new WorkerError(code as keyof typeof ERRORS);
    expect(error).toMatchObject({ code, status, message, headers: {}, body: { error: code, message } });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(message).toMatch(/^[A-Z].*\.$/);
  }
});

it('an error keeps its cause and its headers', () => {
  const cause = new Error('why');
  const error = new WorkerError('not_accepting', 'Busy.', { cause, headers: { 'Retry-After': '3' } });
  expect(error).toMatchObject({
    cause,
    headers: { 'Retry-After': '3' },
    body: { error: 'not_accepting', message: 'Busy.' },
  });
  expect('cause' in new WorkerError('not_found')).toBe(false);
});

describe('the message of', () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;

  it.each<[name: string, thrown: unknown, message: string]>([
    ['an error', new Error('why'), 'why'],
    [
      'an error with a code alone',
      Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
      'ECONNREFUSED',
    ],
    ['an error with nothing', new TypeError(), 'TypeError'],
    ['a text', 'why', 'why'],
    ['nothing', undefined, 'undefined'],
    ['an object', { why: 1 }, '{ why: 1 }'],
    ['an object without a prototype', Object.create(null), '[Object: null prototype] {}'],
    ['a symbol', Symbol('why'), 'Symbol(why)'],
    ['a circle', circle, '<ref *1> { self: [Circular *1] }'],
  ])('%s', (_name, thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
  });
});

describe('an error of this table is known', () => {
  const foreign = (fields: object) => Object.assign(new Error('Busy.'), { name: 'WorkerError', ...fields });

  it('when it is ours', () => {
    const error = new WorkerError('not_found');
    expect(asWorkerError(error)).toBe(error);
  });

  it('when it is of another copy of this package', () => {
    const error = foreign({ code: 'not_accepting', headers: { 'Retry-After': '3' } });
    expect(asWorkerError(error)).toMatchObject({
      code: 'not_accepting',
      status: 503,
      message: 'Busy.',
      headers: { 'Retry-After': '3' },
      cause: error,
    });
  });

  it.each<[name: string, thrown: unknown]>([
    ['another error', new Error('why')],
    ['one of an unknown code', foreign({ code: 'toString' })],
    ['one without a code', foreign({})],
    ['what only looks like one', { name: 'WorkerError', code: 'not_found', message: 'Busy.' }],
    ['nothing', undefined],
  ])('but not %s', (_name, thrown) => {
    expect(asWorkerError(thrown)).toBeUndefined();
  });
});
