// Loaded before the worker: on SIGUSR2 it logs what is left of the heap after a full collection.
process.on('SIGUSR2', () => {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  process.stdout.write(
    `${JSON.stringify({ level: 10, time: Date.now(), event: 'heap', msg: 'heap', heapUsed, external })}\n`,
  );
});
