import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode, WorkerError } from '../../src/errors.js';
import { byField, isMalformed } from '../../src/http/malformed.js';

describe('what has the wrong form', () => {
  const codes = Object.keys(ERRORS) as ErrorCode[];

  it('is told from what has another fault by its code', () => {
    expect(codes.filter((code) => isMalformed(new WorkerError(code)))).toEqual([
      'invalid_json',
      'invalid_request',
      'unsupported_media_type',
    ]);
  });

  it.each([[new Error('invalid_json')], ['invalid_json'], [undefined], [null]])('is not %o', (error) => {
    expect(isMalformed(error)).toBe(false);
  });

  it('is known when another copy of this package threw it', () => {
    const foreign = Object.assign(new Error('no'), { name: 'WorkerError', code: 'invalid_json' });
    expect(isMalformed(foreign)).toBe(true);
  });
});

describe('by field', () => {
  it.each<[name: string, error: WorkerError, body: object]>([
    ['no JSON', new WorkerError('invalid_json'), { error: 'invalid JSON' }],
    [
      'fields',
      new WorkerError('invalid_request', 'a: one; b.0: two', { fields: { a: 'one', 'b.0': 'two' } }),
      { 'payload.a': 'one', 'payload.b.0': 'two' },
    ],
    [
      'the whole of it',
      new WorkerError('invalid_request', 'no', { fields: { '': 'no' } }),
      { payload: 'no' },
    ],
    ['no field at all', new WorkerError('invalid_request', 'no tokens'), { payload: 'no tokens' }],
  ])('%s is told with 422', (_name, error, body) => {
    const told = byField(error);
    expect(told).toBeInstanceOf(WorkerError);
    expect(told).toMatchObject({ code: 'invalid_envelope', status: 422, cause: error, body });
  });

  it.each([
    [new WorkerError('unsupported_media_type')],
    [new WorkerError('invalid_signature')],
    [new Error('broken')],
    ['text'],
    [undefined],
  ])('%o stays as it is', (error) => {
    expect(byField(error)).toBe(error);
  });
});
