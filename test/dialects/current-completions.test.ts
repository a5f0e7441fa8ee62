import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Completion, CompletionStatus } from '../../machines/outbox.js';
import {
  addressesForCompletions,
  type CompletionsForm,
  encodeCompletions,
} from '../../src/dialects/current/completions.js';
import { decodeCompletions } from '../../src/dialects/current/decode-completions.js';

const served: Completion = {
  requestIdx: 1001,
  status: 'Success',
  enteredQueueAt: 1795497950.3,
  workStartedAt: 1795497950.4,
  workCompletedAt: 1795497951.9,
};
const failed: Completion = { ...served, requestIdx: 1002, status: 'Error' };
const left: Completion = { ...served, requestIdx: 1003, status: 'Cancelled', workCompletedAt: 0 };
const refused: Completion = {
  ...served,
  requestIdx: 1004,
  status: 'Rejected',
  workStartedAt: 0,
  workCompletedAt: 0,
};

const encode = (form: CompletionsForm, ...completions: Completion[]) =>
  encodeCompletions(completions, { id: 123, mtoken: 'secret', form });
const sender = { worker_id: 123, mtoken: 'secret' };

describe('finished requests on the wire', () => {
  it('are listed with their times in one body', () => {
    expect(encode('requests', served, failed, left, refused)).toEqual([
      {
        ...sender,
        requests: [
          {
            request_idx: 1001,
            success: true,
            status: 'Success',
            entered_queue_at: 1795497950.3,
            work_started_at: 1795497950.4,
            work_completed_at: 1795497951.9,
          },
          {
            request_idx: 1002,
            success: false,
            status: 'Error',
            entered_queue_at: 1795497950.3,
            work_started_at: 1795497950.4,
            work_completed_at: 1795497951.9,
          },
          {
            request_idx: 1003,
            success: true,
            status: 'Cancelled',
            entered_queue_at: 1795497950.3,
            work_started_at: 1795497950.4,
            work_completed_at: 0,
          },
          {
            request_idx: 1004,
            success: false,
            status: 'Rejected',
            entered_queue_at: 1795497950.3,
            work_started_at: 0,
            work_completed_at: 0,
          },
        ],
      },
    ]);
  });

  it('are numbers alone in the older form, those that succeeded and those that did not in a body each', () => {
    expect(encode('request_idxs', served, failed, left, refused, served)).toEqual([
      { ...sender, request_idxs: [1001, 1003, 1001], success: true },
      { ...sender, request_idxs: [1002, 1004], success: false },
    ]);
  });

  it.each<[CompletionsForm, Completion[], unknown[]]>([
    ['requests', [], []],
    ['request_idxs', [], []],
    ['request_idxs', [served], [{ ...sender, request_idxs: [1001], success: true }]],
    ['request_idxs', [refused], [{ ...sender, request_idxs: [1004], success: false }]],
  ])('have no empty body in the form %s', (form, completions, bodies) => {
    expect(encode(form, ...completions)).toEqual(bodies);
  });

  it('are not told to the one address that has no use for them', () => {
    expect(
      addressesForCompletions([
        'https://run.vast.ai',
        'https://cloud.vast.ai/api/v0',
        'https://cloud.vast.ai/api/v01',
        'http://localhost:8081',
      ]),
    ).toEqual(['https://run.vast.ai', 'https://cloud.vast.ai/api/v01', 'http://localhost:8081']);
  });
});

describe('finished requests, as an autoscaler reads them', () => {
  const [body = {}] = encode('requests', served, refused);
  const [older = {}] = encode('request_idxs', served, left);
  const tag = { dialect: 'current', kind: 'completions' };
  const problem = expect.stringMatching(/./);

  it('keep the names of the wire, in either form', () => {
    expect(decodeCompletions(body)).toEqual({
      ok: true,
      message: { ...tag, form: 'requests', ...body },
    });
    expect(decodeCompletions(older)).toEqual({
      ok: true,
      message: { ...tag, form: 'request_idxs', ...older },
    });
  });

  it('take the id as a string of digits, no token, and unknown fields', () => {
    expect(
      decodeCompletions({ worker_id: '123', form: 'request_idxs', requests: [], extra: {}, kind: 'x' }),
    ).toEqual({ ok: true, message: { ...tag, form: 'requests', worker_id: 123, requests: [] } });
  });

  it.each([
    [{}, 'worker_id'],
    [{ worker_id: 123 }, 'requests'],
    [{ worker_id: 123, requests: {} }, 'requests'],
    [{ worker_id: 123, requests: [null] }, 'requests.0'],
    [{ ...older, success: 1 }, 'success'],
    [{ worker_id: 123, request_idxs: [1] }, 'success'],
    [{ ...older, request_idxs: [1, 2.5] }, 'request_idxs.1'],
    [{ ...older, worker_id: -1 }, 'worker_id'],
  ])('are refused as %j, with the field that is wrong', (wrong, field) => {
    expect(decodeCompletions(wrong)).toEqual({ ok: false, field, problem });
  });

  it.each([
    ['request_idx', '1001'],
    ['request_idx', undefined],
    ['success', 'true'],
    ['status', 'success'],
    ['entered_queue_at', -1],
    ['work_started_at', null],
    ['work_completed_at', Number.NaN],
  ])('are refused with %s %j in one of them', (name, value) => {
    const second = { ...requestOf(refused), [name]: value };
    expect(decodeCompletions({ ...sender, requests: [requestOf(served), second, second] })).toEqual({
      ok: false,
      field: `requests.1.${name}`,
      problem,
    });
  });

  it('are one problem when a hundred thousand of them are wrong', () => {
    const requests = Array(100_000).fill({});
    expect(decodeCompletions({ ...sender, requests })).toEqual({
      ok: false,
      field: 'requests.0.request_idx',
      problem,
    });
  });

  it('never throw, whatever the body holds', () => {
    const names = fc.constantFrom(...Object.keys(body), ...Object.keys(older), '__proto__');
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (changes) => {
        const decoded = decodeCompletions({ ...body, ...changes });
        if (!decoded.ok) expect(decoded.field).not.toBe('');
      }),
    );
  });

  it('are what a worker encoded, whatever they are', () => {
    const seconds = fc.double({ min: 0, max: 1e10, noNaN: true });
    const completion = fc.record<Completion>({
      requestIdx: fc.integer(),
      status: fc.constantFrom<CompletionStatus>('Success', 'Error', 'Cancelled', 'Rejected'),
      enteredQueueAt: seconds,
      workStartedAt: seconds,
      workCompletedAt: seconds,
    });
    const form = fc.constantFrom<CompletionsForm>('requests', 'request_idxs');
    fc.assert(
      fc.property(fc.array(completion), form, (completions, asked) => {
        for (const encoded of encode(asked, ...completions)) {
          expect(decodeCompletions(encoded)).toEqual({
            ok: true,
            message: { ...tag, form: asked, ...encoded },
          });
        }
      }),
    );
  });
});

function requestOf(completion: Completion): Record<string, unknown> {
  const [body] = encode('requests', completion);
  const requests: unknown = body?.requests;
  return Array.isArray(requests) ? requests[0] : {};
}
