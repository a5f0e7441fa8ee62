import { describe, expect, it } from 'vitest';
import { lifecycleMachine } from '../../machines/lifecycle.js';
import { type BackendContext, defineBackend } from '../../src/index.js';
import { pathsOf, startTestWorker, type TestWorker, walk } from '../../src/testing/index.js';
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
    await using worker = await startTestWorker(backend);
    await walk(path, {
      send: ({ type }) => acts[type]?.(worker),
      // What it does beside its work has its own time.
      states: async (expected) => {
        await worker.reaches(workIn(expected));
        return expected;
      },
    });
  });
});

function workIn(states: readonly string[]) {
  const [, work] = /^work\.(loading|loaded|serving|failing|draining|stopped)/.exec(states[0] ?? '') ?? [];
  return work as 'loading' | 'loaded' | 'serving' | 'failing' | 'draining' | 'stopped';
}
