import { describe, expect, it } from 'vitest';
import helloworld from '../../backends/helloworld.js';
import { makeWorker, startWorker } from '../support/worker.js';

describe('a worker that never began', () => {
  it('stops at once when it was not started', async () => {
    const { worker } = makeWorker();
    expect(await worker.stop('it is not needed')).toBe('clean');
    expect(await worker.stop('nor is this')).toBe('clean');
  });

  it('stops at once when its port was taken', async () => {
    const { port } = await startWorker();
    const { worker } = makeWorker(helloworld, { WORKER_PORT: String(port) });
    await expect(worker.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(await worker.stop('it could not start')).toBe('clean');
  });
});
