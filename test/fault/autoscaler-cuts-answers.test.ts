import { expect, it } from 'vitest';
import { survivesUnderLoad } from '../support/faults-load.js';

it('a third of the answers is cut in the body, so that what it tells is told again', async () => {
  const { autoscaler } = await survivesUnderLoad({
    fault: ({ sequence }) => (sequence % 3 === 1 ? { kind: 'cut' } : undefined),
  });
  // The wire has no id for a report: the autoscaler counts those twice whose answer was lost.
  const reports = autoscaler.messages().length;
  expect(autoscaler.workers().map(({ sums }) => sums.reports)).toEqual([reports]);
});
