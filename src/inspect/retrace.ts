import { machines } from '../graph/machines.js';
import type { Happening, RecordingEnd } from './contract.js';
import { isCut, revive } from './copy.js';
import { digests, type Recording } from './recording.js';
import { Replica } from './replica.js';
import type { Seen } from './watch.js';

/** Whether the machines of today take the path that was recorded. */
export interface Retraced {
  /** How many steps were taken again, of how many actors. */
  readonly steps: number;
  readonly actors: number;
  /** Actors whose beginning was not recorded, or not whole, so that nothing can be said of them. */
  readonly untraced: readonly string[];
  /** The first gap in what happened to each actor that has one: of what came after it nothing can be said. */
  readonly gaps: readonly Gap[];
  /** How many events the recording should hold and does not, whosever they are; null: it does not say how many it should. */
  readonly missing: number | null;
  /** Actors that were asserted to the last that is recorded of them, which is not their end. */
  readonly unended: readonly string[];
  /** Machines whose definition is another than when it was recorded. */
  readonly changed: readonly string[];
  /** The first event that led elsewhere; null: none did. */
  readonly divergence: Divergence | null;
}

export interface Gap {
  readonly actor: string;
  /** The number of the last event of it that is recorded before the gap. */
  readonly after: number;
  /** Of the first that nothing is said of: there is none between them, or it is not whole. */
  readonly before: number;
}

export interface Divergence {
  readonly seq: number;
  readonly actor: string;
  readonly event: string;
  /** What is different. */
  readonly because: string;
}

/** An actor that is traced. */
interface Traced {
  readonly replica: Replica;
  /** The number that its next happening has. */
  next: number;
  /** Of the last that was traced. */
  seq: number;
  /** How many happenings of anybody the recording lacked by then. */
  lacked: number;
  /** What the replica has done and the recording has yet to tell. */
  ahead: Seen[];
}

/** Gives the machines, each alone, the events that were recorded, and compares where these lead. */
export function retrace({ header, happenings, end: ended }: Recording): Retraced {
  const alive = new Map<string, Traced>();
  const untraced = new Set<string>();
  const gaps = new Map<string, Gap>();
  let [steps, actors, lacked] = [0, 0, 0];
  let divergence: Divergence | null = null;
  for (const [index, happening] of happenings.entries()) {
    lacked = happening.seq - index;
    if (!Object.hasOwn(machines, happening.machine)) continue;
    const because = take(happening);
    if (because === null) continue;
    const { seq, actor, event } = happening;
    divergence = { seq, actor, event, because };
    break;
  }
  const changed = changedIn(header.machines);
  const missing = missingOf(happenings.length, ended);
  const unended = divergence === null ? [...alive.keys()] : [];
  return {
    ...{ steps, actors, untraced: [...untraced], gaps: [...gaps.values()] },
    ...{ missing, unended, changed, divergence },
  };

  /** Answers what is different. */
  function take(happening: Happening): string | null {
    const { actor, kind, nth, seq, details = null } = happening;
    if (kind === 'actor.started') return begin(happening);
    const traced = alive.get(actor);
    if (traced === undefined) {
      if (!gaps.has(actor)) untraced.add(actor);
      return null;
    }
    if (isCut(details)) return leave(happening, traced);
    if (nth !== traced.next) {
      if (traced.lacked !== lacked) return leave(happening, traced);
      return `it is number ${nth} of what happened to it, and number ${traced.next} is due`;
    }
    Object.assign(traced, { next: nth + 1, seq, lacked });
    steps += 1;
    return kind === 'actor.stopped' ? end(happening, traced) : step(happening, traced);
  }

  /** Where its replica would be is not known from here on. */
  function leave({ actor, seq }: Happening, traced: Traced): null {
    alive.delete(actor);
    if (!gaps.has(actor)) gaps.set(actor, { actor, after: traced.seq, before: seq });
    return null;
  }

  function begin(happening: Happening): string | null {
    const { actor, machine, seq, details = null } = happening;
    const before = alive.get(actor);
    // Its end was not recorded.
    if (before !== undefined) leave(happening, before);
    const definition = machines[machine];
    if (definition === undefined || isCut(details)) {
      untraced.add(actor);
      return null;
    }
    const { input } = revive(details) as { input?: unknown };
    const replica = new Replica(definition, input);
    const [started, ...ahead] = replica.take();
    alive.set(actor, { replica, next: 1, seq, lacked, ahead });
    actors += 1;
    return differenceOf(happening, started);
  }

  function step(happening: Happening, traced: Traced): string | null {
    const { details = null } = happening;
    const [early] = traced.ahead;
    if (early !== undefined) return `the machine has come to its end (${early.event}) before`;
    const event = revive(details);
    if (!isEvent(event)) return 'the recording does not say what the event was';
    const [seen, ...ahead] = traced.replica.send(event);
    traced.ahead = ahead;
    return differenceOf(happening, seen);
  }

  function end(happening: Happening, traced: Traced): string | null {
    alive.delete(happening.actor);
    // Who is stopped from outside does nothing by itself.
    if (happening.event === 'stopped') return null;
    return differenceOf(happening, traced.ahead[0]);
  }
}

function missingOf(found: number, end: RecordingEnd | null): number | null {
  if (end?.events === undefined) return null;
  return Math.max(0, end.events - found) + (end.missed ?? 0);
}

function differenceOf(recorded: Happening, seen: Seen | undefined): string | null {
  if (seen === undefined) return 'the machine does nothing';
  if (seen.event !== recorded.event) return `the event itself is "${seen.event}"`;
  if (!isSame(seen.to, recorded.to))
    return `it leads to ${inWords(seen.to)}, and led to ${inWords(recorded.to)}`;
  if (!isSame(seen.from, recorded.from)) {
    return `it comes in ${inWords(seen.from)}, and came in ${inWords(recorded.from)}`;
  }
  if (!isSame(seen.took, recorded.took))
    return `it takes ${inWords(seen.took)}, and took ${inWords(recorded.took)}`;
  return seen.kind === recorded.kind ? null : `it is "${seen.kind}", and was "${recorded.kind}"`;
}

function isSame(one: readonly string[] = [], other: readonly string[] = []): boolean {
  return one.length === other.length && one.every((each, index) => each === other[index]);
}

function inWords(names: readonly string[] = []): string {
  return names.length === 0 ? 'nothing' : names.map((name) => `"${name}"`).join(', ');
}

function isEvent(value: unknown): value is { readonly type: string } {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function changedIn(recorded: Readonly<Record<string, string>>): string[] {
  const today = digests();
  return Object.keys(recorded).filter((name) => recorded[name] !== today[name]);
}
