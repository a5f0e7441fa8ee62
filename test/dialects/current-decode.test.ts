import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCurrent, looksCurrent } from '../../src/dialects/current/decode.js';

const STATUS = {
  id: 31,
  mtoken: 'secret',
  version: '1.1.0',
  loadtime: 84.2,
  new_load: 512,
  cur_load: 768,
  rej_load: 16,
  max_perf: 1450.5,
  cur_perf: 256,
  error_msg: '',
  num_requests_working: 2,
  num_requests_recieved: 1204,
  additional_disk_usage: -0.5,
  working_request_idxs: [1001, 1002],
  cur_capacity: 0,
  max_capacity: 0,
  url: 'http://203.0.113.7:41234',
};

describe('the status of a current worker', () => {
  it('keeps the names of the wire', () => {
    expect(decodeCurrent(STATUS)).toEqual({
      ok: true,
      message: { dialect: 'current', kind: 'status', ...STATUS },
    });
  });

  it('takes the id as a string of digits, no token, and unknown fields', () => {
    const { mtoken: _, ...withoutToken } = STATUS;
    expect(decodeCurrent({ ...withoutToken, id: '31', kind: 'loaded', extra: {} })).toEqual({
      ok: true,
      message: { dialect: 'current', kind: 'status', ...withoutToken },
    });
  });

  it.each(['new_load', 'cur_load', 'rej_load', 'max_perf', 'cur_perf'])(
    'counts at most 1e15 as %s, so that no sum overflows',
    (name) => {
      expect(decodeCurrent({ ...STATUS, [name]: 1e308 })).toEqual({
        ok: true,
        message: { dialect: 'current', kind: 'status', ...STATUS, [name]: 1e15 },
      });
    },
  );

  it.each(Object.keys(STATUS).filter((name) => name !== 'mtoken'))('is refused without %s', (name) => {
    const body = Object.fromEntries(Object.entries(STATUS).filter(([key]) => key !== name));
    expect(decodeCurrent(body)).toEqual({ ok: false, field: name, problem: expect.stringMatching(/./) });
  });

  it.each([
    ['loadtime', -1],
    ['new_load', -1],
    ['cur_load', '5'],
    ['max_perf', Number.NaN],
    ['num_requests_working', 1.5],
    ['working_request_idxs', [1, 'two']],
    ['working_request_idxs', 7],
    ['error_msg', null],
  ])('is refused with %s %j', (name, value) => {
    expect(decodeCurrent({ ...STATUS, [name]: value })).toEqual({
      ok: false,
      field: name,
      problem: expect.stringMatching(/./),
    });
  });

  it('never throws, whatever the body holds', () => {
    const names = fc.constantFrom(...Object.keys(STATUS), '__proto__');
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (changes) => {
        const decoded = decodeCurrent({ ...STATUS, ...changes });
        if (!decoded.ok) expect(decoded.field).not.toBe('');
      }),
    );
  });
});

describe('which dialect a body is of', () => {
  it.each([
    [STATUS, true],
    [{ id: 1, version: '1.1.0' }, true],
    [{ id: 1, new_load: 0 }, true],
    [{ id: 1, loadtime: 1, max_perf: 1 }, false],
    [{ id: 1, cur_load: 1, num_requests_recieved: 1 }, false],
    [{ id: 1, message: 'data update', cur_perf: 1 }, false],
    [{}, false],
  ])('%j: current is %s', (body, current) => {
    expect(looksCurrent(body)).toBe(current);
  });
});
