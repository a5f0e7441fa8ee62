import { startsAllowed } from './launches.js';
import {
  capacityOf,
  figure,
  type Look,
  lookAt,
  mustHaveOne,
  mustKeepOne,
  neededOf,
  workersWanted,
} from './look.js';
import type { Decision, FleetFacts, ScalingMemory, ScalingSettings, Verdict } from './scaling.js';

/** A capacity has to be more than is wanted for so long before any of it is let go. */
export const SPARE_FOR_MS = 30_000;

/** An inactive worker costs little, and a new one a load: it is given up only when it has been spare for so long. */
export const COLD_SPARE_FOR_MS = 600_000;

/** What is let go has to be spare by a tenth, or half a worker, so that the next request does not want it back. */
const MARGIN = { ofCapacity: 0.1, ofWorker: 0.5 };

/** What to do now. Asked again and again, with the memory that it gave the last time. */
export function decide(settings: ScalingSettings, facts: FleetFacts, memory: ScalingMemory): Verdict {
  const look = lookAt(settings, facts);
  const raised = raise(look);
  const kept = keepCold(look, raised);
  const isRising = raised.length + kept.length > 0;
  const spareSinceMs = since(memory.spareSinceMs, !isRising && hasSpareActive(look), facts.atMs);
  const isMaking = [...raised, ...kept].some((each) => each.do === 'create');
  const coldSpareSinceMs = since(memory.coldSpareSinceMs, !isMaking && hasSpareInactive(look), facts.atMs);
  const isLowering =
    spareSinceMs !== null && (look.isAsleep || isOver(spareSinceMs, facts.atMs, SPARE_FOR_MS));
  const lowered = isLowering ? spareActive(look) : [];
  const isGivingUp = !isRising && isOver(coldSpareSinceMs, facts.atMs, COLD_SPARE_FOR_MS);
  const destroyed = isGivingUp ? spareInactive(look) : [];
  const decisions = [...startsAllowed([...raised, ...kept], facts), ...lowered, ...destroyed];
  return {
    decisions: decisions.map((each) => ({ ...each, reason: each.reason + look.doubt })),
    memory: { spareSinceMs, coldSpareSinceMs },
    wanted: { workers: workersWanted(look), capacity: look.capacity, coldCapacity: look.coldCapacity },
  };
}

/** Starts what is missing: inactive workers first, the quickest of them first, then new ones. */
function raise(look: Look): Decision[] {
  const { active, inactive, capacity, typical, wantsOneMore, why } = look;
  const decisions: Decision[] = [];
  let { there } = look;
  let count = active.length;
  const isMissing = () => there < capacity || (count === 0 && mustHaveOne(look));
  const reason = () =>
    `a capacity of ${figure(capacity)} units/s is wanted (${why}), and ${figure(there)} ${count === 1 ? 'is' : 'are'} there or on the way`;
  for (const { id, perf } of inactive) {
    if (!isMissing()) return decisions;
    decisions.push({ do: 'activate', worker: id, reason: reason() });
    there += perf;
    count += 1;
  }
  for (let room = roomIn(look); room > 0 && isMissing(); room--) {
    // Of workers that nobody has measured it is not known how many are needed: the first shows it, or the queue.
    if (typical === 0 && count > (wantsOneMore ? active.length : 0)) return decisions;
    decisions.push({ do: 'create', reason: reason() });
    there += typical;
    count += 1;
  }
  return decisions;
}

/** Makes the workers that are to be there beside those that the load wants. */
function keepCold(look: Look, raised: readonly Decision[]): Decision[] {
  const { settings, active, cold, typical, coldCapacity } = look;
  const created = raised.filter((each) => each.do === 'create').length;
  const wantedCount = Math.max(settings.minWorkers, neededOf(look) + settings.coldWorkers);
  const decisions: Decision[] = [];
  let count = active.length + cold.length + created;
  let there = look.thereInAll + created * typical;
  for (let room = roomIn(look) - created; room > 0; room--) {
    const isTooFew = count < wantedCount;
    if (!isTooFew && (typical === 0 || there >= coldCapacity)) break;
    const reason = isTooFew
      ? `${wantedCount} workers are to be there, active or inactive, and ${count} are`
      : `active and inactive workers are to do ${figure(coldCapacity)} units/s together, and do ${figure(there)}`;
    decisions.push({ do: 'create', reason });
    count += 1;
    there += typical;
  }
  return decisions;
}

/** Whether there is enough without the slowest; who goes is only looked for when it is time. */
function hasSpareActive(look: Look): boolean {
  const { ready, capacity, isBehind } = look;
  const slowest = ready.at(-1);
  // Until what has come is done nobody is idle, and who goes now would only leave it to the others.
  if (slowest === undefined || isBehind || (ready.length === 1 && mustKeepOne(look))) return false;
  return capacityOf(ready) - slowest.perf >= withMargin(capacity, slowest.perf);
}

/**
 * Who could stop and leave enough: the slowest first, and of equals who has the least to do. Those that still load
 * do not stand in for anybody: until they have, work waits for whoever is ready.
 */
function spareActive(look: Look): Decision[] {
  const { ready, capacity, isAsleep, why } = look;
  const decisions: Decision[] = [];
  let left = capacityOf(ready);
  let count = ready.length;
  const idlest = ready.toSorted(
    (one, other) => one.perf - other.perf || one.pending - other.pending || other.id - one.id,
  );
  for (const { id, perf } of idlest) {
    if (left - perf < withMargin(capacity, perf) || (count === 1 && mustKeepOne(look))) break;
    left -= perf;
    count -= 1;
    const reason = isAsleep
      ? 'no request has come for the whole of the inactivity timeout'
      : `${figure(left)} units/s are left without it, and ${figure(capacity)} are wanted (${why})`;
    decisions.push({ do: 'deactivate', worker: id, reason });
  }
  return decisions;
}

function hasSpareInactive(look: Look): boolean {
  const { settings, active, inactive, cold, coldCapacity, thereInAll, doubt } = look;
  const slowest = inactive.at(-1);
  // What each has measured tells who is wrong: of two, whoever says more would be believed.
  if (slowest === undefined || doubt !== '') return false;
  const wantedCount = Math.max(settings.minWorkers, neededOf(look) + settings.coldWorkers);
  const isEnough = thereInAll - slowest.perf >= withMargin(coldCapacity, slowest.perf);
  return active.length + cold.length > wantedCount && isEnough;
}

/** Inactive workers beyond those that are kept. */
function spareInactive(look: Look): Decision[] {
  const { settings, active, inactive, cold, coldCapacity } = look;
  const decisions: Decision[] = [];
  const wantedCount = Math.max(settings.minWorkers, neededOf(look) + settings.coldWorkers);
  let count = active.length + cold.length;
  let left = look.thereInAll;
  for (const { id, perf } of inactive.toReversed()) {
    if (count - 1 < wantedCount || left - perf < withMargin(coldCapacity, perf)) break;
    count -= 1;
    left -= perf;
    const reason = `${count} workers that do ${figure(left)} units/s together are left without it, and ${wantedCount} that do ${figure(coldCapacity)} are wanted`;
    decisions.push({ do: 'destroy', worker: id, reason });
  }
  return decisions;
}

/** For so many more there is room; those that have failed or are stopping still take up theirs. */
function roomIn({ settings, facts }: Look): number {
  return Math.max(0, settings.maxWorkers - facts.workers.length);
}

function withMargin(capacity: number, perf: number): number {
  return capacity + Math.min(capacity * MARGIN.ofCapacity, perf * MARGIN.ofWorker);
}

function since(before: number | null, isSpare: boolean, atMs: number): number | null {
  return isSpare ? (before ?? atMs) : null;
}

function isOver(sinceMs: number | null, atMs: number, forMs: number): boolean {
  return sinceMs !== null && atMs - sinceMs >= forMs;
}
