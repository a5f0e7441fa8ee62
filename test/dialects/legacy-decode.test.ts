import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLegacy } from '../../src/dialects/legacy/decode.js';

const FROM = { id: 7, mtoken: 'secret' };

describe('the messages of a legacy worker', () => {
  it('count at most 1e15 as load and as speed, so that no sum overflows', () => {
    const told = [
      decodeLegacy({ ...FROM, loadtime: 1, max_perf: 1e308 }),
      decodeLegacy({ ...FROM, cur_load: 1e308, num_requests_recieved: 1 }),
    ];
    expect(told).toEqual([
      { ok: true, message: { dialect: 'legacy', kind: 'loaded', ...FROM, loadtime: 1, max_perf: 1e15 } },
      {
        ok: true,
        message: { dialect: 'legacy', kind: 'update', ...FROM, cur_load: 1e15, num_requests_recieved: 1 },
      },
    ]);
  });

  it.each([
    ['loaded', { loadtime: 1.5, max_perf: 0.5 }],
    ['update', { cur_load: 0.2, num_requests_recieved: 12 }],
    ['error', { error_msg: 'out of memory' }],
    ['loading', { message: 'loading update', disk_usage: 41.5, additional_disk_usage: -0.25 }],
    [
      'data',
      {
        message: 'data update',
        num_requests_working: 2,
        overloaded: false,
        num_requests_recieved: 9,
        cur_perf: 4,
        error: null,
        loadtime: 30,
        max_perf: 100,
        cur_load: 512,
        cur_capacity: 1,
        max_capacity: 2,
        curr_tokens_per_second: 12.5,
        url: 'http://203.0.113.7:41234',
      },
    ],
    ['capacity', { max_batch_prefill_tokens: 4096, max_batch_tokens: 16_000, max_capacity: 16_000 }],
  ])('%s keeps the names of the wire', (kind, fields) => {
    expect(decodeLegacy({ ...FROM, ...fields })).toEqual({
      ok: true,
      message: { dialect: 'legacy', kind, ...FROM, ...fields },
    });
  });

  it('takes the id as a number or as the string of the environment', () => {
    expect(decodeLegacy({ id: '0042', error_msg: 'x' })).toEqual({
      ok: true,
      message: { dialect: 'legacy', kind: 'error', id: 42, error_msg: 'x' },
    });
  });

  it('leaves out what it does not know, also names of its own', () => {
    const body = { ...FROM, loadtime: 0, max_perf: 1, kind: 'update', dialect: 'current', extra: [1] };
    expect(decodeLegacy(body)).toEqual({
      ok: true,
      message: { dialect: 'legacy', kind: 'loaded', ...FROM, loadtime: 0, max_perf: 1 },
    });
  });
});

describe('bodies that are refused', () => {
  it.each([
    ['no known message', { ...FROM }, 'message'],
    ['an unknown message', { ...FROM, message: 'hello' }, 'message'],
    ['no id', { loadtime: 1, max_perf: 1 }, 'id'],
    ['an id that is no number', { id: 'seven', loadtime: 1, max_perf: 1 }, 'id'],
    ['an id with a fraction', { id: 1.5, loadtime: 1, max_perf: 1 }, 'id'],
    ['a negative id', { id: -1, loadtime: 1, max_perf: 1 }, 'id'],
    ['loaded without max_perf', { ...FROM, loadtime: 1 }, 'max_perf'],
    ['a negative loadtime', { ...FROM, loadtime: -1, max_perf: 1 }, 'loadtime'],
    [
      'an infinite load',
      { ...FROM, cur_load: Number.POSITIVE_INFINITY, num_requests_recieved: 1 },
      'cur_load',
    ],
    ['half a request', { ...FROM, cur_load: 1, num_requests_recieved: 0.5 }, 'num_requests_recieved'],
    ['an update without load', { ...FROM, num_requests_recieved: 1 }, 'cur_load'],
    ['an error that is no text', { ...FROM, error_msg: null }, 'error_msg'],
    ['a token that is no text', { id: 1, mtoken: 5, error_msg: 'x' }, 'mtoken'],
  ])('%s: the field is named', (_name, body, field) => {
    expect(decodeLegacy(body)).toEqual({ ok: false, field, problem: expect.stringMatching(/./) });
  });

  it('never throws, whatever the body holds', () => {
    const names = fc.constantFrom(
      'id',
      'message',
      'loadtime',
      'cur_load',
      'error_msg',
      '__proto__',
      'mtoken',
    );
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(names, fc.string()), fc.jsonValue()), (body) => {
        const decoded = decodeLegacy(body);
        if (!decoded.ok) expect(decoded.field).not.toBe('');
      }),
    );
  });
});
