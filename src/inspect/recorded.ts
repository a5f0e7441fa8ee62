import { openLedger } from '../../machines/ledger.js';
import type { ActorNow, Happening, Now, RecordingEnd, Stay } from './contract.js';
import { fairly } from './fair.js';
import { sentenceOf } from './now.js';
import type { Recording } from './recording.js';
import { enteredIn } from './recording-lines.js';
import { asKept, Ring } from './ring.js';
import type { Source } from './source.js';
import { Timeline } from './timeline.js';

/** Of what is shown: a page with as much as this is still quick on a phone. */
const LIMITS = { count: 20_000, bytes: 16 * 2 ** 20 };

/** A recording as it is shown: what it ends with is how the worker was last. */
export function recordedSource(recording: Recording): Source {
  const now = endOf(recording);
  const ring = new Ring(LIMITS);
  // Text is made of those alone that are shown.
  for (const happening of fairly(recording.happenings, LIMITS.count)) ring.add(asKept(happening));
  return {
    now: () => now,
    samples: () => [],
    header: () => recording.header,
    happened: recording.happenings.length,
    after: (seq) => ring.after(seq),
    linesAfter: (number) => ({ last: number, lines: [] }),
    subscribe: () => () => {},
  };
}

/** Why a recording ends before the worker did. */
const CUT_SHORT: Readonly<Record<RecordingEnd['ended'] | 'broken off', string | null>> = {
  stopped: null,
  full: 'the recording was full',
  lost: 'the worker did not answer any more',
  interrupted: 'the recording was ended by hand',
  'broken off': 'the recording was broken off',
};

/** In words; null: it does not. */
export function whyCutShort({ end }: Recording): string | null {
  return CUT_SHORT[end?.ended ?? 'broken off'];
}

/** How the worker was at the end of a recording. */
export function endOf(recording: Recording): Now {
  const { header, happenings, nows, end } = recording;
  const last = happenings.at(-1);
  const timeline = timelineOf(happenings);
  const state = timeline.at(-1)?.state ?? nows.at(-1)?.worker.state ?? 'loading';
  const reason = timeline.at(-1)?.reason ?? '';
  const worker = nows.at(-1)?.worker ?? { ...NOTHING_KNOWN, backend: header.backend };
  const atMs = end?.atMs ?? last?.atMs ?? header.startedAtMs;
  // How the worker was is recorded when it enters a state, and it may have stayed for long.
  const cutShort = whyCutShort(recording);
  const inStateMs = Math.max(0, atMs - (timeline.at(-1)?.fromMs ?? atMs));
  return {
    seq: last?.seq ?? 0,
    atMs,
    live: false,
    ...(cutShort !== null && { cutShort }),
    version: header.version,
    startedAtMs: header.startedAtMs,
    ready: state === 'serving',
    whyNotReady: state === 'serving' ? '' : sentenceOf('was', state, reason),
    worker: { ...worker, state: state as Now['worker']['state'], reason, inStateMs },
    actors: actorsAfter(happenings),
    sessions: [],
    requestsUnderWay: [],
    timeline,
    modelLog: [],
  };
}

/** The actors that live after all of it. */
export function actorsAfter(happenings: readonly Happening[]): ActorNow[] {
  const actors = new Map<string, ActorNow>();
  for (const { actor, machine, kind, to, atMs } of happenings) {
    if (kind === 'actor.stopped') actors.delete(actor);
    if (to === undefined) continue;
    const before = actors.get(actor);
    const isMoved = before === undefined || before.states.join() !== to.join();
    actors.set(actor, { actor, machine, states: to, sinceMs: isMoved ? atMs : before.sinceMs });
  }
  return [...actors.values()];
}

/** The log tells each state that is entered, and why. */
function timelineOf(happenings: readonly Happening[]): readonly Stay[] {
  const timeline = new Timeline();
  for (const happening of happenings) {
    const entered = enteredIn(happening);
    if (entered !== undefined) timeline.enter(entered.state, entered.reason, happening.atMs);
  }
  return timeline.stays;
}

const { totals: NONE } = openLedger(0);

/** Of a worker that was recorded for too short a time. */
const NOTHING_KNOWN: Now['worker'] = {
  id: null,
  backend: '',
  state: 'loading',
  inStateMs: 0,
  reason: '',
  report: 'quiet',
  phase: 'loading',
  loadTimeSeconds: 0,
  maxPerf: 0,
  errorMessage: '',
  url: '',
  requestsUnderWay: 0,
  requestsQueued: 0,
  sessions: 0,
  pendingWorkload: 0,
  key: 'unasked',
  completions: { untold: 0, dropped: 0 },
  ledger: { totals: NONE, reported: NONE, unreported: NONE },
  reporter: { addresses: [], due: [], failedRounds: 0 },
};
