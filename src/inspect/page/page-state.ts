import type { Charts, Happening, History, Json, Now, Sample, ToldNow } from '../contract.js';
import { isCut } from '../copy.js';
import { ofTheLastHour } from '../samples.js';
import { withTold } from '../timeline.js';

/**
 * `locked`: it is shown only to who asks otherwise. `lost`: nobody answers. `silent`: there is a connection, and nothing comes of it.
 * `crowded`: as many as may look at once do already. Of the last three it is tried again.
 */
export type Connection = 'connecting' | 'following' | 'lost' | 'silent' | 'crowded' | 'locked';

/** Why the worker is not shown. */
export interface Lock {
  /** As the server says it. */
  readonly message: string;
  /** Whether a token opens it. */
  readonly takesToken: boolean;
  /** Whether the token that was sent is a wrong one. */
  readonly isRefused: boolean;
}

/** All that the page shows, as a value: what comes and what its reader does make the next one. */
export interface PageState {
  readonly connection: Connection;
  /** What `locked` is about; null: it never was. */
  readonly lock: Lock | null;
  readonly charts: Charts;
  readonly now: Now | null;
  /** Oldest first. */
  readonly happenings: readonly Happening[];
  /** How many there were before these that are not kept here. */
  readonly leftOut: number;
  readonly samples: readonly Sample[];
  readonly modelLog: readonly string[];
  /** The happening that is looked back at, by its `seq`; null: it follows. */
  readonly lookedAt: number | null;
  /** The actor whose chart is shown. */
  readonly actor: string;
  /** What has to be in a happening that is listed, in its name or its actor; a word after a minus must not be. */
  readonly filter: string;
  readonly showsRequests: boolean;
  /** The list ends with this happening; null: it goes on. */
  readonly pausedAt: number | null;
}

export const NOTHING_YET: PageState = {
  connection: 'connecting',
  lock: null,
  charts: {},
  now: null,
  happenings: [],
  leftOut: 0,
  samples: [],
  modelLog: [],
  lookedAt: null,
  actor: 'lifecycle',
  filter: '',
  showsRequests: true,
  pausedAt: null,
};

const MOST_HAPPENINGS = 5_000;
const MOST_LINES = 200;

export function began(
  state: PageState,
  charts: Charts,
  history: History,
  samples: readonly Sample[],
): PageState {
  return {
    ...withHappenings(state, history.happenings, 0),
    charts,
    samples,
    lookedAt: null,
    pausedAt: null,
  };
}

export function isNow(state: PageState, told: ToldNow): PageState {
  const now = wholeOf(withTold(state.now, told));
  return {
    ...state,
    connection: 'following',
    now,
    // What was said while nobody answered is in the first of a connection, and another worker has another log.
    modelLog: told.modelLog === undefined ? state.modelLog : now.modelLog,
  };
}

/** Without what stands in the lists for what was too long to be told. */
function wholeOf(now: Now): Now {
  const whole = <T>(list: readonly T[]): readonly T[] =>
    isCut(list as Json) ? [list].flat().filter((each) => !isCut(each as Json)) : list;
  return {
    ...now,
    actors: whole(now.actors),
    sessions: whole(now.sessions),
    requestsUnderWay: whole(now.requestsUnderWay),
    timeline: whole(now.timeline),
    modelLog: whole(now.modelLog),
  };
}

/** What is told again after a lost connection is known already. */
export function happened(state: PageState, news: readonly Happening[]): PageState {
  const last = state.happenings.at(-1)?.seq ?? -1;
  const fresh = news.filter(({ seq }) => seq > last);
  if (fresh.length === 0) return state;
  return withHappenings(state, [...state.happenings, ...fresh], state.leftOut);
}

function withHappenings(state: PageState, all: readonly Happening[], leftOut: number): PageState {
  const happenings = all.slice(-MOST_HAPPENINGS);
  return { ...state, happenings, leftOut: leftOut + all.length - happenings.length };
}

export function sampled(state: PageState, sample: Sample): PageState {
  const last = state.samples.at(-1)?.atMs ?? 0;
  if (sample.atMs <= last) return state;
  return {
    ...state,
    now: state.now && at(state.now, sample.atMs),
    samples: ofTheLastHour([...state.samples, sample]),
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

/** The happenings that are listed, newest first, and how many more there are. */
export function listed(
  { happenings, filter, showsRequests, pausedAt }: PageState,
  most: number,
): [readonly Happening[], number] {
  const words = filter.toLowerCase().split(/\s+/);
  const wanted = words
    .filter((word) => !word.startsWith('-'))
    .join(' ')
    .trim();
  const unwanted = words.filter((word) => /^-./.test(word)).map((word) => word.slice(1));
  const matches = (text: string) => text.includes(wanted) && !unwanted.some((word) => text.includes(word));
  const found = happenings.filter(
    ({ seq, kind, event, actor }) =>
      (pausedAt === null || seq <= pausedAt) &&
      (showsRequests || kind !== 'request') &&
      matches(`${event} ${actor}`.toLowerCase()),
  );
  return [found.slice(-most).reverse(), Math.max(0, found.length - most)];
}
