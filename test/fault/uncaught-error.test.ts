import { expect, it } from 'vitest';
import { acknowledgedUpdates } from '../support/faults-books.js';
import { post, startServingPuppet } from '../support/faults-puppet.js';

it.each([
  ['/throw', 'thrown', 'Error: thrown where nobody catches'],
  ['/reject', 'rejected', 'Error: rejected where nobody catches'],
])(
  '%s: the backend errs outside of a request: logged, drained, ended with 1',
  async (path, answered, error) => {
    const { autoscaler, upstream, worker, begin } = await startServingPuppet();
    const answers = await begin(2);
    expect(await post(worker, path)).toMatchObject({ status: 200, body: answered });
    await worker.reaches('draining');
    const uncaught = worker.told('uncaught');
    expect(uncaught.map(({ level, msg }) => [level, msg.split('\n')[0]])).toEqual([
      [50, `uncaught: ${error}`],
    ]);
    expect(uncaught[0]?.msg).toContain('puppet.ts');
    expect(await post(worker, '/ask')).toMatchObject({ status: 503 });

    upstream.release('/answer');
    expect(await Promise.all(answers)).toEqual(
      Array.from({ length: 2 }, () => ({ status: 200, connection: 'close', body: 'after a while' })),
    );
    expect(await worker.exited).toEqual({ code: 1, signal: null });
    expect(acknowledgedUpdates(autoscaler).at(-1)?.num_requests_recieved).toBe(3);
    expect(worker.program.stderr).toBe('');
  },
);
