import { describe, expect, it } from 'vitest';
import type { RequestEvent } from '../../machines/events.js';
import type { Completion } from '../../machines/outbox.js';
import { completionOf } from '../../src/completion.js';
import { ended, rejected, started } from '../../src/testing/request-events.js';

/** The worker's clock began at 1000 s of Unix time. */
const unixSeconds = (atMs: number) => 1_000 + atMs / 1_000;

const END = { requestIdx: 7, workload: 3, enteredAtMs: 1_000, workStartedAtMs: 2_000, atMs: 5_000 };
const told = (status: Completion['status'], workStartedAt: number, workCompletedAt: number): Completion => ({
  requestIdx: 7,
  status,
  enteredQueueAt: 1_001,
  workStartedAt,
  workCompletedAt,
});

describe('what is told of a request that has ended', () => {
  it.each<[name: string, event: RequestEvent, completion: Completion | undefined]>([
    ['one that succeeded', ended('succeeded', END), told('Success', 1_002, 1_005)],
    ['one that erred', ended('errored', END), told('Error', 1_002, 1_005)],
    [
      'one that erred before its turn came',
      ended('errored', { ...END, workStartedAtMs: null }),
      told('Error', 0, 1_005),
    ],
    ['one whose client left', ended('cancelled', END), told('Cancelled', 1_002, 0)],
    [
      'one whose client left before its turn came',
      ended('cancelled', { ...END, workStartedAtMs: null }),
      told('Cancelled', 0, 0),
    ],
    ['one that waited too long', ended('expired', { ...END, workStartedAtMs: null }), told('Rejected', 0, 0)],
    [
      'one that was refused at the door',
      rejected({ requestIdx: 7, workload: 3, atMs: 1_000 }),
      told('Rejected', 0, 0),
    ],
    ['a session that ended', ended('succeeded', { ...END, kind: 'session' }), told('Success', 1_002, 1_005)],
    [
      'a request with the number 0',
      ended('succeeded', { ...END, requestIdx: 0 }),
      { ...told('Success', 1_002, 1_005), requestIdx: 0 },
    ],
    ['nothing of one that has not ended', started({ requestIdx: 7 }), undefined],
    ['nothing of a session that has not ended', started({ requestIdx: 7, kind: 'session' }), undefined],
    ['nothing of what was sent in a session', ended('succeeded', { ...END, kind: 'in-session' }), undefined],
    ['nothing of what was refused in a session', rejected({ requestIdx: 7, kind: 'in-session' }), undefined],
    ['nothing of one without a number', ended('succeeded', { ...END, requestIdx: null }), undefined],
    ['nothing of a refused one without a number', rejected({ requestIdx: null }), undefined],
  ])('%s', (_, event, completion) => {
    expect(completionOf(event, unixSeconds)).toEqual(completion);
  });
});

it('its times are in the order in which it went, though the wall clock is set back between two readings', () => {
  let readings = 0;
  const setBack = (atMs: number) => unixSeconds(atMs) - 3_600 * readings++;
  const event = ended('succeeded', { ...END, workStartedAtMs: END.enteredAtMs });
  expect(completionOf(event, setBack)).toEqual(told('Success', 1_001, 1_005));
});
