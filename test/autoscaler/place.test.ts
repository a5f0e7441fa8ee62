import { describe, expect, it } from 'vitest';
import { decodeStatus } from '../../src/autoscaler/decode.js';
import { answer, EMPTY_FLEET, type Fleet, hear } from '../../src/autoscaler/fleet.js';
import { type Place, placeOf } from '../../src/autoscaler/place.js';
import { data, failed, loaded, loading, status, update } from './bodies.js';

const INTERVAL_MS = 10_000;

/** A body and what becomes of it: it arrives, and it is answered unless the answer is lost. */
type Told = readonly [body: unknown, outcome: 'answered' | 'lost'];
const answered = (body: unknown): Told => [body, 'answered'];
const lost = (body: unknown): Told => [body, 'lost'];

function placeAfter(told: readonly Told[], afterMs = 0): Place {
  const fleet = told.reduce<Fleet>((before, [body, outcome]) => {
    const decoded = decodeStatus(body);
    if (!decoded.ok) throw new Error(`${decoded.field}: ${decoded.problem}`);
    const heard = hear(before, decoded.message, 0);
    return outcome === 'answered' ? answer(heard, decoded.message) : heard;
  }, EMPTY_FLEET);
  const worker = fleet.workers.get(1);
  if (worker === undefined) throw new Error('There is no worker 1.');
  return placeOf(worker, afterMs, INTERVAL_MS);
}

const clear = status(1);
const error = status(1, { error_msg: 'broken' });
const notLoaded = status(1, { loadtime: 0 });
const trouble = status(1, { loadtime: 0, error_msg: 'no public key' });

describe('where a worker is in its lifecycle', () => {
  it.each<[string[], string, ...Told[]]>([
    [['loading'], 'current: loadtime 0', answered(notLoaded)],
    [['loaded', 'serving'], 'current: loaded, unanswered', lost(clear)],
    [['loaded', 'serving'], 'current: what was answered is another status', answered(notLoaded), lost(clear)],
    [['serving'], 'current: loaded and answered', answered(clear)],
    [['serving'], 'current: later answers may be lost', answered(clear), lost(clear)],
    [['failing'], 'current: an error of a model that has loaded', answered(clear), answered(error)],
    [['loading', 'failing'], 'current: an error without a load', answered(trouble)],
    [['loaded', 'serving'], 'current: recovered, unanswered', answered(clear), answered(error), lost(clear)],
    [
      ['loaded', 'serving'],
      'current: loaded anew, unanswered',
      answered(clear),
      lost(notLoaded),
      lost(clear),
    ],
    [['serving'], 'current: recovered and answered', answered(error), answered(clear)],
    [['loading'], 'legacy: a loading update', answered(loading())],
    [['loaded', 'serving'], 'legacy: loaded, unanswered', lost(loaded())],
    [['loaded', 'serving'], 'legacy: an update says nothing of the load', lost(loaded()), answered(update())],
    [['serving'], 'legacy: loaded and answered', answered(loaded()), lost(update())],
    [['serving'], 'legacy: a data update tells the load too', answered(data())],
    [['failing'], 'legacy: an error', answered(loaded()), answered(failed())],
    [['failing'], 'legacy: an error without a load', answered(failed())],
  ])('is %j (%s)', (states, _name, ...told) => {
    expect(placeAfter(told)).toEqual({ states, now: true });
  });

  it('is where it was last heard of, when it is silent', () => {
    expect(placeAfter([answered(clear)], 3 * INTERVAL_MS - 1)).toEqual({ states: ['serving'], now: true });
    expect(placeAfter([answered(clear)], 3 * INTERVAL_MS)).toEqual({ states: ['serving'], now: false });
  });

  it('an answer to a worker that was forgotten meanwhile brings nothing back', () => {
    const decoded = decodeStatus(clear);
    if (!decoded.ok) throw new Error(decoded.problem);
    expect(answer(EMPTY_FLEET, decoded.message)).toBe(EMPTY_FLEET);
  });
});
