import { beliefOf, believed } from './belief.js';
import type { FleetFacts, ScalingSettings, WorkerFacts, WorkerPhase } from './scaling.js';

/** What the policy sees of a fleet: who is there, and how much is wanted. What is done about it is in `policy.ts`. */

/** Less than any worker does per second. */
const MIN_PERF = 0.000_01;

/** They work, or will when they have loaded. */
export const ACTIVE: ReadonlySet<WorkerPhase> = new Set(['creating', 'loading', 'ready', 'updating']);

/** No work is for them, and none of them is lost: who stops has been let go by the policy, and is inactive next. */
const COLD: ReadonlySet<WorkerPhase> = new Set(['stopping', 'inactive']);

/** What a look at the fleet comes to, before it is acted on. */
export interface Look {
  readonly settings: ScalingSettings;
  readonly facts: FleetFacts;
  readonly isAsleep: boolean;
  /** Active workers, the quickest first, each with what it is believed to do per second. */
  readonly active: readonly Rated[];
  readonly ready: readonly Rated[];
  readonly inactive: readonly Rated[];
  /** Who is inactive, and who is on the way to it. */
  readonly cold: readonly Rated[];
  /** Units/s that the active ones do together, and those that the cold ones would do as well. */
  readonly there: number;
  readonly thereInAll: number;
  /** What a worker that is not known yet will do per second; 0: none has been measured. */
  readonly typical: number;
  /** Units/s. */
  readonly capacity: number;
  readonly coldCapacity: number;
  /** Work waits for longer than it should, wherever it is. */
  readonly isBehind: boolean;
  /** It does, and nobody is on the way to help. */
  readonly wantsOneMore: boolean;
  /** Why that much capacity is wanted. */
  readonly why: string;
  /** Who says more than is believed; empty: nobody. */
  readonly doubt: string;
}

export interface Rated extends WorkerFacts {
  readonly perf: number;
}

export function lookAt(settings: ScalingSettings, facts: FleetFacts): Look {
  const isAsleep = sleeps(settings, facts);
  const belief = beliefOf(facts.workers.map(({ maxPerf }) => maxPerf));
  const { typical } = belief;
  const rated = facts.workers
    .map(({ id, phase, maxPerf, pending }) => {
      return { id, phase, maxPerf, pending, perf: believed(belief, maxPerf) };
    })
    .toSorted((one, other) => other.perf - one.perf || one.id - other.id);
  const active = rated.filter(({ phase }) => ACTIVE.has(phase));
  const ready = active.filter(({ phase }) => phase === 'ready');
  const inactive = rated.filter(({ phase }) => phase === 'inactive');
  const cold = rated.filter(({ phase }) => COLD.has(phase));
  const there = capacityOf(active);
  return {
    settings,
    facts,
    isAsleep,
    typical,
    active,
    ready,
    inactive,
    cold,
    there,
    thereInAll: there + capacityOf(cold),
    doubt: doubtIn(rated),
    ...wantedOf(settings, facts, { active, ready, there }, isAsleep),
  };
}

function doubtIn(rated: readonly Rated[]): string {
  const doubted = rated.filter(({ maxPerf, perf }) => maxPerf > perf);
  const [first] = doubted;
  if (first === undefined) return '';
  const who = doubted.length === 1 ? `worker ${first.id} says` : `${doubted.length} workers say`;
  return `; ${who} more than ${figure(first.perf)} units/s, which nobody is believed to do`;
}

/** Whether nothing has come for so long that nobody is to work. What is still in a worker is waited for. */
function sleeps(
  { inactivityTimeoutMs }: ScalingSettings,
  { workers, waiting, quietMs }: FleetFacts,
): boolean {
  if (typeof inactivityTimeoutMs === 'string') return false;
  return quietMs >= inactivityTimeoutMs && waiting === 0 && workers.every(({ pending }) => pending === 0);
}

/** What waits is worked off within so long at the soonest, on top of what comes meanwhile. */
const WORKED_OFF_WITHIN_MS = 60_000;

/**
 * Units/s that work off what waits in as long as it took to come. That is at most as quickly as it came, however long
 * workers load and whatever comes meanwhile: a queue that grows while help is on the way does not ask for it again.
 */
function workedOffPerSecond({ waiting, waitedMs }: FleetFacts): number {
  // Of what came evenly the first has waited for twice as long as all of it did on average.
  return (waiting / Math.max(WORKED_OFF_WITHIN_MS, 2 * waitedMs)) * 1_000;
}

function wantedOf(
  settings: ScalingSettings,
  facts: FleetFacts,
  { active, ready, there }: Pick<Look, 'active' | 'ready' | 'there'>,
  isAsleep: boolean,
) {
  const { minLoad, targetUtil, coldMult, minColdLoad, targetQueueTimeMs } = settings;
  const { waiting, expectedPerSecond } = facts;
  const load = isAsleep ? 0 : Math.max(expectedPerSecond, minLoad);
  const isLate = waiting > (there * targetQueueTimeMs) / 1_000;
  const forLoad = load / targetUtil + (isLate ? workedOffPerSecond(facts) : 0);
  const isFull = areAllFull(ready, targetQueueTimeMs);
  const isBehind = isFull || isLate;
  // More help may be on the way already. Work that is in a worker can't move to another.
  const wantsOneMore = isBehind && active.length === ready.length;
  return {
    isBehind,
    wantsOneMore,
    capacity: wantsOneMore ? Math.max(forLoad, there + MIN_PERF) : forLoad,
    coldCapacity: Math.max(expectedPerSecond * coldMult, minColdLoad) / targetUtil,
    why: [
      `${figure(load)} units/s ${expectedPerSecond > minLoad ? 'are expected' : 'are always provided for'}, and may take ${figure(targetUtil * 100)} % of it`,
      ...(isLate ? [queueInWords(facts)] : []),
      ...(isFull ? [`each worker has more to do than ${targetQueueTimeMs / 1_000} s take`] : []),
    ].join('; '),
  };
}

function queueInWords({ waiting, waitedMs }: FleetFacts): string {
  const units = waiting === 1 ? 'unit waits' : 'units wait';
  return `${figure(waiting)} ${units}, for ${figure(waitedMs / 1_000)} s on average`;
}

/** Whether a request would wait too long wherever it went. */
function areAllFull(ready: readonly Rated[], targetQueueTimeMs: number): boolean {
  return ready.length > 0 && ready.every(({ perf, pending }) => pending > (perf * targetQueueTimeMs) / 1_000);
}

/** Whether one has to work though no capacity may be wanted. */
export function mustHaveOne({ settings, facts }: Look): boolean {
  return facts.waiting > 0 || settings.inactivityTimeoutMs === 'never';
}

/** Until nothing has come for long the last one stays, so that the next request need not wait for a load. */
export function mustKeepOne(look: Look): boolean {
  return mustHaveOne(look) || (look.settings.inactivityTimeoutMs !== 'off' && !look.isAsleep);
}

/** How many of the active workers the load wants, and those that are still missing for it. */
export function neededOf(look: Look): number {
  const { active, capacity, typical } = look;
  let [there, count] = [0, 0];
  for (const { perf } of active) {
    if (there >= capacity) break;
    there += perf;
    count += 1;
  }
  const missing = Math.max(0, capacity - there);
  const needed = count + (typical === 0 ? 0 : Math.ceil(missing / typical));
  return Math.min(look.settings.maxWorkers, Math.max(needed, mustHaveOne(look) ? 1 : 0));
}

/** How many are to work, the one included that stays until nothing has come for long. */
export function workersWanted(look: Look): number {
  const { settings, active, capacity } = look;
  const wantsOne = capacity > 0 || (active.length > 0 && mustKeepOne(look));
  return Math.min(settings.maxWorkers, Math.max(neededOf(look), wantsOne ? 1 : 0));
}

export function capacityOf(workers: readonly Rated[]): number {
  return workers.reduce((total, { perf }) => total + perf, 0);
}

/** Three digits of a figure. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
