import { describe, expect, it } from 'vitest';
import { type AnyActorRef, createActor, createMachine } from 'xstate';
import { SteppedClock } from '../../src/testing/clock.js';
import { transitionCoverage } from '../../src/testing/index.js';
import type { Kind, Step } from './kinds/kind.js';
import { STATES } from './kinds/states.js';
import { TRANSITIONS } from './kinds/transitions.js';

const KINDS: Readonly<Record<string, Kind>> = { ...STATES, ...TRANSITIONS };

describe('transition coverage of', () => {
  it.each(Object.keys(KINDS))('%s names exactly what is missing, until nothing is', async (name) => {
    const { machine, walks, untaken } = KINDS[name] as Kind;
    const coverage = transitionCoverage(machine);
    const told: string[][] = [];
    for (const walk of walks) {
      const clock = new SteppedClock();
      const actor = createActor(machine, { clock, inspect: coverage.inspect }).start();
      told.push(coverage.untaken());
      for (const step of walk) {
        await take(step, actor, clock);
        told.push(coverage.untaken());
      }
      actor.stop();
    }
    expect(told).toEqual(untaken);
    expect(told.at(-1)).toEqual([]);
    coverage.expectAtLeast();
  });

  it('an actor that goes on from a snapshot has not been where others begin', () => {
    const machine = createMachine({
      initial: 'a',
      states: { a: { on: { go: 'b' } }, b: { on: { go: 'c' } }, c: {} },
    });
    const before = createActor(machine).start();
    before.send({ type: 'go' });
    const coverage = transitionCoverage(machine);
    const snapshot = before.getPersistedSnapshot();
    before.stop();
    const actor = createActor(machine, { snapshot, inspect: coverage.inspect }).start();
    actor.send({ type: 'go' });
    actor.stop();
    expect(coverage.untaken()).toEqual(['state a', 'transition a on go → b']);
  });
});

async function take(step: Step, actor: AnyActorRef, clock: SteppedClock): Promise<void> {
  if (typeof step === 'number') await clock.advance(step);
  else actor.send({ type: step });
}
