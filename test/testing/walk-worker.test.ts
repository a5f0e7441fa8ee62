import { describe, expect, it } from 'vitest';
import type { InspectionEvent, SnapshotFrom } from 'xstate';
import { lifecycleMachine } from '../../machines/lifecycle.js';
import { type BackendContext, defineBackend } from '../../src/index.js';
import { pathsOf, startTestWorker, type TestWorker, walk } from '../../src/testing/index.js';
import { leavesOf } from '../../src/testing/leaves.js';
import { LIFECYCLE_INPUT } from '../support/machines/lifecycle.js';
import { deferred } from '../support/worker.js';

const WINDOW = { basis: 0, cutAtMs: 0, work: {}, upTo: {}, sinceMs: {} };

/** What can be caused from outside, or comes to a worker by itself. */
const paths = pathsOf(lifecycleMachine, {
  input: LIFECYCLE_INPUT,
  events: [
    { type: 'load done', output: { ok: true, loadTimeSeconds: 1, maxPerf: 5 } },
    { type: 'report.acknowledged', phase: 'loaded', covers: ['state'], window: WINDOW },
    { type: 'backend.failed', message: 'out of memory' },
    { type: 'backend.recovered' },
    { type: 'stop.requested', reason: 'enough' },
  ],
  // A state that is entered again for another reason is another one, so that recoveries are on a path.
  distinguish: ({ context }) => [context.hasLoaded, context.reason],
}).filter(({ steps }) => steps.every(({ event }) => !event.type.startsWith('xstate.after')));

/** A backend that loads, fails and recovers as it is told. */
function puppet() {
  let context: BackendContext | undefined;
  let load = deferred();
  const backend = defineBackend({
    name: 'puppet',
    maxPerf: 10,
    init: async (given) => {
      context = given;
      load = deferred();
      given.signal.addEventListener('abort', () => load.resolve());
      await load.promise;
    },
    routes: { '/echo': { handle: ({ body }) => body } },
  });
  const acts: Readonly<Record<string, (worker: TestWorker) => void>> = {
    'xstate.done.actor.load': () => load.resolve(),
    // Its autoscaler does.
    'report.acknowledged': () => {},
    'backend.failed': () => context?.fail('out of memory'),
    'backend.recovered': () => context?.recovered(),
    'stop.requested': ({ worker }) => void worker.stop('enough').catch(() => {}),
  };
  return { backend, acts };
}

describe('a real worker goes along the paths of the lifecycle', () => {
  it('that lead to each state of its work', () => {
    const ends = new Set(paths.map(({ start, steps }) => workIn(steps.at(-1)?.states ?? start)));
    expect([...ends].toSorted()).toEqual(['draining', 'failing', 'loaded', 'loading', 'serving']);
  });

  it.each(paths)('$name', async (path) => {
    const { backend, acts } = puppet();
    const { inspect, goesOnTo } = record();
    await using worker = await startTestWorker(backend, { inspect });
    await walk(path, {
      send: ({ type }) => acts[type]?.(worker),
      states: async (expected) => {
        await worker.reaches(workIn(expected));
        return goesOnTo(expected);
      },
    });
  });
});

/** The states in which a lifecycle is, one after the other. */
function record() {
  const seen: string[][] = [];
  let at = 0;
  const inspect = (event: InspectionEvent) => {
    if (event.type !== '@xstate.snapshot' || event.actorRef.sessionId !== event.rootId) return;
    seen.push(leavesOf(event.snapshot as SnapshotFrom<typeof lifecycleMachine>));
  };
  /** These, if it was in them since those before; else those in which it is. Reports have their own time. */
  const goesOnTo = (expected: readonly string[]) => {
    const wanted = besideReports(expected);
    const next = seen.findIndex((states, index) => index >= at && besideReports(states) === wanted);
    if (next < 0) return seen.at(-1) ?? [];
    at = next;
    return expected;
  };
  return { inspect, goesOnTo };
}

function besideReports(states: readonly string[]): string {
  return states.filter((state) => !state.startsWith('report.')).join(', ');
}

function workIn(states: readonly string[]) {
  const [, work] = /^work\.(loading|loaded|serving|failing|draining|stopped)/.exec(states[0] ?? '') ?? [];
  return work as 'loading' | 'loaded' | 'serving' | 'failing' | 'draining' | 'stopped';
}
