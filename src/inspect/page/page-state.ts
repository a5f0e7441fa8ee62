import type { Charts, Happening, History, Now, Sample } from '../contract.js';

/**
 * `locked`: a token is wanted. `lost`: nobody answers. `crowded`: as many as may look at once do already. Of the last
 * two it is tried again.
 */
export type Connection = 'connecting' | 'following' | 'lost' | 'crowded' | 'locked';

/** All that the page shows, as a value: what comes and what its reader does make the next one. */
export interface PageState {
  readonly connection: Connection;
  /** Whether the token that was sent is a wrong one. */
  readonly isRefused: boolean;
  readonly charts: Charts;
  readonly now: Now | null;
  /** Oldest first. */
  readonly happenings: readonly Happening[];
  readonly samples: readonly Sample[];
  readonly modelLog: readonly string[];
  /** The happening that is looked back at, by its `seq`; null: it follows. */
  readonly lookedAt: number | null;
  /** The actor whose chart is shown. */
  readonly actor: string;
  /** What has to be in a happening that is listed, in its name or its actor. */
  readonly filter: string;
  readonly showsRequests: boolean;
  /** The list ends with this happening; null: it goes on. */
  readonly pausedAt: number | null;
}

export const NOTHING_YET: PageState = {
  connection: 'connecting',
  isRefused: false,
  charts: {},
  now: null,
  happenings: [],
  samples: [],
  modelLog: [],
  lookedAt: null,
  actor: 'lifecycle',
  filter: '',
  showsRequests: true,
  pausedAt: null,
};

const MOST_HAPPENINGS = 5_000;
const MOST_SAMPLES = 3_600;
const MOST_LINES = 200;

export function began(
  state: PageState,
  charts: Charts,
  history: History,
  samples: readonly Sample[],
): PageState {
  const happenings = history.happenings.slice(-MOST_HAPPENINGS);
  return {
    ...state,
    charts,
    happenings,
    samples: samples.slice(-MOST_SAMPLES),
    lookedAt: null,
    pausedAt: null,
  };
}

export function isNow(state: PageState, now: Now): PageState {
  return {
    ...state,
    connection: 'following',
    now,
    // What was said while nobody answered is in it, and another worker has another log.
    modelLog: state.connection === 'following' ? state.modelLog : now.modelLog,
  };
}

/** What is told again after a lost connection is known already. */
export function happened(state: PageState, news: readonly Happening[]): PageState {
  const last = state.happenings.at(-1)?.seq ?? -1;
  const fresh = news.filter(({ seq }) => seq > last);
  if (fresh.length === 0) return state;
  return { ...state, happenings: [...state.happenings, ...fresh].slice(-MOST_HAPPENINGS) };
}

export function sampled(state: PageState, sample: Sample): PageState {
  const last = state.samples.at(-1)?.atMs ?? 0;
  if (sample.atMs <= last) return state;
  return {
    ...state,
    now: state.now && at(state.now, sample.atMs),
    samples: [...state.samples, sample].slice(-MOST_SAMPLES),
  };
}

/** How the worker is is told when it has changed, and time goes on in between. */
function at(now: Now, atMs: number): Now {
  const laterMs = atMs - now.atMs;
  if (laterMs <= 0) return now;
  return { ...now, atMs, worker: { ...now.worker, inStateMs: now.worker.inStateMs + laterMs } };
}

export function logged(state: PageState, lines: readonly string[]): PageState {
  return { ...state, modelLog: [...state.modelLog, ...lines].slice(-MOST_LINES) };
}

/** The happenings that are listed, newest first. */
export function listed(
  { happenings, filter, showsRequests, pausedAt }: PageState,
  most: number,
): Happening[] {
  const wanted = filter.trim().toLowerCase();
  const found: Happening[] = [];
  for (let index = happenings.length - 1; index >= 0 && found.length < most; index--) {
    const each = happenings[index];
    if (each === undefined || (pausedAt !== null && each.seq > pausedAt)) continue;
    if (!showsRequests && each.kind === 'request') continue;
    if (wanted === '' || `${each.event} ${each.actor}`.toLowerCase().includes(wanted)) found.push(each);
  }
  return found;
}
