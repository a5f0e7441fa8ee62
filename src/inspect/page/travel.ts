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
}

/** What came in so short a time is seen as one. */
const AT_ONCE_MS = 1_000;

/** What moves a chart: the steps of a journey through time. */
export function isStep({ kind }: Happening): boolean {
  return kind === 'transition' || kind === 'actor.started' || kind === 'actor.stopped';
}

/** The actors that lived when a happening had happened, by their paths; null: as they are now. */
export function actorsAt(state: PageState, seq: number | null): Map<string, ActorThen> {
  const actors = new Map<string, ActorThen>();
  const until = seq ?? Number.POSITIVE_INFINITY;
  const heardLater = new Set<string>();
  for (const each of state.happenings) {
    if (each.seq <= until) take(actors, each);
    else if (!heardLater.has(each.actor)) {
      heardLater.add(each.actor);
      const { actor, machine, from } = each;
      // It was there before anything that is still known of it: of one that only starts there is no place to come from.
      if (from !== undefined && !actors.has(actor))
        actors.set(actor, { actor, machine, states: from, last: undefined, recent: [] });
    }
  }
  if (seq !== null) return actors;
  const living = new Map<string, ActorThen>();
  for (const { actor, machine, states } of state.now?.actors ?? []) {
    const known = actors.get(actor);
    // What has happened may be known a moment before what is.
    living.set(actor, known ?? { actor, machine, states, last: undefined, recent: [] });
  }
  if (living.size > 0) return living;
  for (const ended of actors.values()) if (!ended.actor.includes('/')) living.set(ended.actor, ended);
  return living;
}

/** The happening that is looked back at; undefined: the page follows. */
export function lookedAt(state: PageState): Happening | undefined {
  return state.happenings.find(({ seq }) => seq === state.lookedAt);
}

/** In which state of its work the worker was when a happening had happened; undefined: nothing tells any more. */
export function workAt(state: PageState, seq: number): string | undefined {
  const states = actorsAt(state, seq).get('lifecycle')?.states ?? [];
  return states.find((each) => each.startsWith('work.'))?.split('.')[1];
}

/** The step before or after the one that is looked at; null: there is none, so that it follows again. */
export function stepFrom({ happenings, lookedAt }: PageState, by: -1 | 1): number | null {
  const steps = happenings.filter(isStep);
  if (lookedAt === null) return by < 0 ? (steps.at(-2)?.seq ?? null) : null;
  if (by > 0) return steps.find(({ seq }) => seq > lookedAt)?.seq ?? null;
  return steps.findLast(({ seq }) => seq < lookedAt)?.seq ?? steps[0]?.seq ?? null;
}

function take(actors: Map<string, ActorThen>, each: Happening): void {
  const { actor, machine, kind, to } = each;
  // Of the worker itself it is shown in what it ended; whom it had started are gone.
  if (kind === 'actor.stopped' && actor.includes('/')) actors.delete(actor);
  else if (to !== undefined) {
    const { last, recent = [] } = actors.get(actor) ?? {};
    if (kind !== 'transition') actors.set(actor, { actor, machine, states: to, last, recent });
    else {
      const justBefore = recent.filter(({ atMs }) => each.atMs - atMs < AT_ONCE_MS);
      actors.set(actor, { actor, machine, states: to, last: each, recent: [...justBefore, each] });
    }
  }
}
