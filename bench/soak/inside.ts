import { memoryUsage, stdout } from 'node:process';
import { gc } from './gc.js';

/**
 * Loaded before the worker: on SIGUSR2 it logs what is left of the heap after a full collection, and what keeps the
 * process alive by its kind (timers, sockets, files).
 */
process.on('SIGUSR2', () => {
  gc();
  const { heapUsed, external } = memoryUsage();
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const seen = { event: 'inside', heapBytes: heapUsed + external, resources };
  stdout.write(`${JSON.stringify({ level: 10, time: Date.now(), msg: 'inside', ...seen })}\n`);
});
