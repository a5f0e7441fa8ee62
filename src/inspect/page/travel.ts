import type { Happening } from '../contract.js';
import type { PageState } from './page-state.js';

/** An actor at a moment: where it was, and what had brought it there. */
export interface ActorThen {
  readonly actor: string;
  readonly machine: string;
  readonly states: readonly string[];
  /** The last transition that it took; undefined: none that is known. */
  readonly last: Happening | undefined;
  /** It, and those that it took just before: a failure and its report come at once, and both are to be seen. */
  readonly recent: readonly Happening[];
  /** Whether it may have moved on by that moment: what happened to it next is not kept. */
  readonly mayHaveMoved: boolean;
}

/** What came in so short a time is seen as one. */
const AT_ONCE_MS = 1_000;

/** What moves a chart: the steps of a journey through time. */
export function isStep({ kind }: Happening): boolean {
  return kind === 'transition' || kind === 'actor.started' || kind === 'actor.stopped';
}

/** What is known of an actor while it lives, as it is gathered. */
interface Life {
  readonly actor: string;
  readonly machine: string;
  states: readonly string[];
  /** Its transitions, oldest first. */
  readonly took: Happening[];
  mayHaveMoved: boolean;
}

/** The actors that lived when a happening had happened, by their paths; null: as they are now. */
export function actorsAt(state: PageState, seq: number | null): Map<string, ActorThen> {
  const lives = new Map<string, Life>();
  const until = seq ?? Number.POSITIVE_INFINITY;
  const heard = new Map<string, Happening>();
  const heardLater = new Set<string>();
  for (const each of pastOf(state)) {
    const { actor } = each;
    if (each.seq <= until) {
      take(lives, each);
      heard.set(actor, each);
    } else if (!heardLater.has(actor)) {
      heardLater.add(actor);
      foresee(lives, each, heard.get(actor), until);
    }
  }
  const actors = new Map([...lives].map(([actor, life]) => [actor, thenOf(life)]));
  if (seq !== null) return actors;
  const living = new Map<string, ActorThen>();
  for (const { actor, machine, states } of state.now?.actors ?? []) {
    const known = actors.get(actor);
    // What has happened may be known a moment before what is.
    living.set(actor, known ?? { actor, machine, states, last: undefined, recent: [], mayHaveMoved: false });
  }
  if (living.size > 0) return living;
  for (const ended of actors.values()) if (!ended.actor.includes('/')) living.set(ended.actor, ended);
  return living;
}

/** Looks back at what has this number, where it is listed or stands in the past that is looked at; null: it follows. */
export function lookAt(state: PageState, seq: number | null): PageState {
  for (const past of [state.looked?.past, state.paused, state.happenings]) {
    const at = past?.find((each) => each.seq === seq);
    if (past != null && at !== undefined) return { ...state, looked: { at, past } };
  }
  return { ...state, looked: null };
}

/** What can be travelled through. */
export function pastOf({ looked, happenings }: PageState): readonly Happening[] {
  return looked?.past ?? happenings;
}

/** In which state of its work the worker was when a happening had happened; undefined: nothing tells any more. */
export function workAt(state: PageState, seq: number): string | undefined {
  const states = actorsAt(state, seq).get('lifecycle')?.states ?? [];
  return states.find((each) => each.startsWith('work.'))?.split('.')[1];
}

/** The step before or after the one that is looked at; null: there is none, so that it follows again. */
export function stepFrom({ happenings, looked }: PageState, by: -1 | 1): number | null {
  if (looked === null) return by < 0 ? (happenings.filter(isStep).at(-2)?.seq ?? null) : null;
  const { at, past } = looked;
  const steps = past.filter(isStep);
  if (by < 0) return steps.findLast(({ seq }) => seq < at.seq)?.seq ?? steps[0]?.seq ?? null;
  const isNext = (each: Happening) => isStep(each) && each.seq > at.seq;
  // The past that is held ends where it was begun to look at it.
  return (past.find(isNext) ?? happenings.find(isNext))?.seq ?? null;
}

function take(lives: Map<string, Life>, each: Happening): void {
  const { actor, machine, kind, to } = each;
  // Of the worker itself it is shown in what it ended; whom it had started are gone.
  if (kind === 'actor.stopped' && actor.includes('/')) lives.delete(actor);
  else if (to !== undefined) {
    const life = lives.get(actor) ?? beginOf(actor, machine, to);
    lives.set(actor, life);
    life.states = to;
    if (kind === 'transition') life.took.push(each);
  }
}

/** Says of an actor at a moment what is known by what happened to it next. */
function foresee(
  lives: Map<string, Life>,
  next: Happening,
  last: Happening | undefined,
  moment: number,
): void {
  const { actor, machine, nth, from } = next;
  const life = lives.get(actor);
  if (life !== undefined) life.mayHaveMoved = last?.seq !== moment && last?.nth !== nth - 1;
  // It was there before anything that is still known of it: of one that only starts there is no place to come from.
  else if (from !== undefined) lives.set(actor, { ...beginOf(actor, machine, from), mayHaveMoved: true });
}

function beginOf(actor: string, machine: string, states: readonly string[]): Life {
  return { actor, machine, states, took: [], mayHaveMoved: false };
}

function thenOf({ took, ...life }: Life): ActorThen {
  const last = took.at(-1);
  const before = took.findLastIndex(({ atMs }) => atMs <= (last?.atMs ?? 0) - AT_ONCE_MS);
  return { ...life, last, recent: took.slice(before + 1) };
}
