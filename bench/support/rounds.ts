import { randomFrom } from '../../machines/random.js';
import type { Stand, Target } from './stand.js';
import { TARGETS } from './stand.js';
import { shuffled } from './stats.js';
import { type Kind, type Measured, PATHS } from './work.js';

export interface RoundsOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: readonly number[];
  readonly kinds: readonly Kind[];
  readonly seed: number;
}

/** One setting in one round: every server under the same load, one after the other. */
export interface Pass {
  readonly kind: Kind;
  readonly connections: number;
  readonly measured: Readonly<Record<Target, Measured>>;
}

/** Before a leg is measured: its connections are there, and what was idle is awake. */
const WARM_SECONDS = 0.25;

/** Answers before the first round: V8 has compiled the code of each server by then. */
const FIRST_WARM: Readonly<Record<Kind, number>> = { json: 20_000, stream: 500 };

/**
 * Measures everything in rounds, each server in each of them, so that what else the machine does falls on all
 * alike. The order of the servers is another one each time.
 */
export async function measureRounds(
  stand: Stand,
  { rounds, seconds, connections, kinds, seed }: RoundsOptions,
  tell: (what: string) => void,
): Promise<Pass[]> {
  const random = randomFrom(seed);
  const legOn = (target: Target, kind: Kind) => ({
    ...stand.servers[target],
    path: PATHS[kind],
    bodies: stand.bodies,
  });
  for (const kind of kinds) {
    for (const target of TARGETS) {
      tell(`warming up: ${target}, ${kind}`);
      const until = { requests: FIRST_WARM[kind] };
      await stand.measure({ ...legOn(target, kind), connections: 50, warmSeconds: 0, until });
    }
  }
  const passes: Pass[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const kind of kinds) {
      for (const count of connections) {
        tell(`round ${round} of ${rounds}: ${kind}, ${count} connections`);
        const measured: Partial<Record<Target, Measured>> = {};
        for (const target of shuffled(TARGETS, random)) {
          measured[target] = await stand.measure({
            ...legOn(target, kind),
            connections: count,
            warmSeconds: WARM_SECONDS,
            until: { seconds },
          });
        }
        passes.push({ kind, connections: count, measured: whole(measured) });
      }
    }
  }
  return passes;
}

function whole(measured: Partial<Record<Target, Measured>>): Record<Target, Measured> {
  const { upstream, bare, unsecured, secured } = measured;
  if (!(upstream && bare && unsecured && secured)) throw new Error('a server was not measured');
  return { upstream, bare, unsecured, secured };
}
