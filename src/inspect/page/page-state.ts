import type { Charts, Happening, History, Json, Now, Sample, ToldNow } from '../contract.js';
import { isCut } from '../copy.js';
import { fairly } from '../fair.js';
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

/** A moment of the past, with the past in which it stands: it is held, though the page goes on and forgets. */
export interface Looked {
  readonly at: Happening;
  /** Oldest first. */
  readonly past: readonly Happening[];
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
  /** How many there were beside these, which are not kept here. */
  readonly leftOut: number;
  readonly samples: readonly Sample[];
  readonly modelLog: readonly string[];
  /** What is looked back at; null: it follows. */
  readonly looked: Looked | null;
  /** The actor whose chart is shown. */
  readonly actor: string;
  /** What has to be in a happening that is listed, in its name or its actor; a word after a minus must not be. */
  readonly filter: string;
  readonly showsRequests: boolean;
  /** What is listed for as long as the list is paused; null: it goes on. */
  readonly paused: readonly Happening[] | null;
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
  looked: null,
  actor: 'lifecycle',
  filter: '',
  showsRequests: true,
  paused: null,
};

/** As many as a worker keeps. */
const MOST_HAPPENINGS = 5_000;
/** So many more may come before those that are too many are taken out at once, so that each costs little. */
const SPARE_HAPPENINGS = 500;
const MOST_LINES = 200;

export function began(
  state: PageState,
  charts: Charts,
  history: History,
  samples: readonly Sample[],
): PageState {
  const { happenings, happened } = history;
  return {
    ...state,
    // Of a recording it may be more than a worker keeps: nothing comes after it.
    happenings,
    leftOut: happened - happenings.length,
    charts,
    samples,
    looked: null,
    paused: null,
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
export function happened(state: PageState, told: readonly Happening[]): PageState {
  const last = state.happenings.at(-1)?.seq ?? 0;
  const fresh = told.filter(({ seq }) => seq > last);
  if (fresh.length === 0) return state;
  const all = [...state.happenings, ...fresh];
  const happenings = all.length > MOST_HAPPENINGS + SPARE_HAPPENINGS ? fairly(all, MOST_HAPPENINGS) : all;
  // Who is slow is not told all: what is missing between two numbers is not kept here either.
  const news = (fresh.at(-1)?.seq ?? last) - last;
  return {
    ...state,
    happenings,
    leftOut: state.leftOut + state.happenings.length + news - happenings.length,
  };
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
  { happenings, filter, showsRequests, paused }: PageState,
  most: number,
): [readonly Happening[], number] {
  const words = filter.toLowerCase().split(/\s+/);
  const wanted = words
    .filter((word) => !word.startsWith('-'))
    .join(' ')
    .trim();
  const unwanted = words.filter((word) => /^-./.test(word)).map((word) => word.slice(1));
  const matches = (text: string) => text.includes(wanted) && !unwanted.some((word) => text.includes(word));
  const found = (paused ?? happenings).filter(
    ({ kind, event, actor }) =>
      (showsRequests || kind !== 'request') && matches(`${event} ${actor}`.toLowerCase()),
  );
  return [found.slice(-most).reverse(), Math.max(0, found.length - most)];
}
