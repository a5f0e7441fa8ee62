import type { Pass } from './rounds.js';
import { TARGETS, type Target } from './stand.js';
import { groupsOf, medianOf, type Spread, spreadOf } from './stats.js';
import { EVENTS, type Kind, type Measured } from './work.js';

/** One line of the table: medians over the rounds, and the ratios to the bare relay of the same round. */
export interface Row {
  readonly kind: Kind;
  readonly connections: number;
  readonly target: Target;
  readonly requestsPerSecond: number;
  /** Null where there are none. */
  readonly eventsPerSecond: number | null;
  /** To the end of the answer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Beyond the bare relay, median of the rounds. */
  readonly addedP50Ms: number;
  /** CPU time of the server for one request, in microseconds. */
  readonly cpuMicros: number;
  /** How much of one core the load generator had. */
  readonly generatorShare: number;
  /** Of requests a second, so of events as well. */
  readonly ratio: Spread;
}

export interface Goal {
  readonly what: string;
  readonly value: number;
  readonly goal: string;
  readonly met: boolean;
}

export function rowsOf(passes: readonly Pass[]): Row[] {
  const groups = groupsOf(passes, ({ kind, connections }) => `${kind} ${connections}`);
  return [...groups.values()].flatMap((group) => TARGETS.map((target) => rowOf(group, target)));
}

function rowOf(group: readonly Pass[], target: Target): Row {
  const [{ kind, connections } = { kind: 'json' as Kind, connections: 0 }] = group;
  const over = (value: (one: Measured, bare: Measured) => number) =>
    group.map(({ measured }) => value(measured[target], measured.bare));
  const median = (value: (one: Measured, bare: Measured) => number) => medianOf(over(value));
  const requestsPerSecond = median(rate);
  return {
    kind,
    connections,
    target,
    requestsPerSecond,
    eventsPerSecond: kind === 'stream' ? requestsPerSecond * EVENTS : null,
    p50Ms: median(({ p50Ms }) => p50Ms),
    p99Ms: median(({ p99Ms }) => p99Ms),
    addedP50Ms: median((one, bare) => one.p50Ms - bare.p50Ms),
    cpuMicros: median(({ serverCpuSeconds, requests }) => (serverCpuSeconds / requests) * 1e6),
    generatorShare: median(({ ownCpuSeconds, seconds }) => ownCpuSeconds / seconds),
    ratio: spreadOf(over((one, bare) => rate(one) / rate(bare))),
  };
}

function rate({ requests, seconds }: Measured): number {
  return requests / seconds;
}

/** What the project wants to hold, with signatures checked; only what was measured. */
export function goalsOf(rows: readonly Row[]): Goal[] {
  const find = (kind: Kind, connections: number) =>
    rows.find((row) => row.target === 'secured' && row.kind === kind && row.connections === connections);
  const atLeast = (what: string, least: number, value: number | undefined) =>
    value === undefined ? [] : [{ what, value, goal: `at least ${least}`, met: value >= least }];
  const added = find('json', 1)?.addedP50Ms;
  return [
    ...atLeast('requests/s, 50 connections, to the bare relay', 0.75, find('json', 50)?.ratio.median),
    ...atLeast('events/s, 50 connections, to the bare relay', 0.9, find('stream', 50)?.ratio.median),
    ...(added === undefined
      ? []
      : [{ what: 'added p50 in ms, 1 connection', value: added, goal: 'under 0.5', met: added < 0.5 }]),
  ];
}
