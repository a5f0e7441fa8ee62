import type { EventEmitter } from 'node:events';
import { EventEmitter as NodeEmitter } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { memoryUsage, stdout } from 'node:process';
import { queryObjects } from 'node:v8';
import { EventEmitter as Bus } from 'eventemitter3';
import { Client } from 'undici';
import { gc } from './gc.js';

/**
 * Loaded before the worker. On SIGUSR2 it logs what is left after a full collection: the heap, what keeps the process
 * alive by its kind (timers, sockets, files), listeners, and how late the event loop was at worst since the last time.
 */
const RESOLUTION_MS = 20;

const lateness = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
lateness.enable();

/** The worker has few of its own, and none goes before the worker does. */
const buses = new Set<Bus>();
const { on } = Bus.prototype;
Bus.prototype.on = function noted(this: Bus, ...given: Parameters<typeof on>) {
  buses.add(this);
  return on.apply(this, given);
};

process.on('SIGUSR2', () => {
  const lagMs = Math.max(lateness.max / 1e6 - RESOLUTION_MS, 0);
  gc();
  const { heapUsed, external } = memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const pooled = count(Client);
  const emitters = count(NodeEmitter) - pooled + count(EventTarget) + buses.size;
  const seen = { heapBytes: heapUsed + external, resources, listeners: listeners(), emitters, pooled, lagMs };
  stdout.write(
    `${JSON.stringify({ level: 10, time: Date.now(), msg: 'inside', event: 'inside', ...seen })}\n`,
  );
  // What this look has cost is not the worker's own.
  setTimeout(() => lateness.reset(), 3 * RESOLUTION_MS).unref();
});

/** Of the process, of all that keeps it alive, and of the buses. */
function listeners(): number {
  const emitters: readonly Pick<EventEmitter, 'eventNames' | 'listenerCount'>[] = [process, ...handles()];
  const all = [...emitters, ...buses].map((emitter) =>
    emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name as string), 0),
  );
  return all.reduce((sum, count) => sum + count, 0);
}

/** Node has no other name for it. */
function handles(): EventEmitter[] {
  const { _getActiveHandles } = process as unknown as { _getActiveHandles(): unknown[] };
  return _getActiveHandles.call(process).filter((each) => each instanceof NodeEmitter);
}

/** How many there are. */
function count(kind: abstract new (...given: never[]) => object): number {
  return Number(queryObjects(kind as new () => object, { format: 'count' }));
}
