import { expect, it } from 'vitest';
import { survivesUnderLoad } from '../support/faults-load.js';

it('a third of the reports is never answered', async () => {
  const { worker } = await survivesUnderLoad({
    fault: ({ sequence }) => (sequence % 3 === 1 ? { kind: 'hang' } : undefined),
    env: { TSWORKER_REPORT_TIMEOUT: '500ms' },
    reports: 30,
  });
  const reasons = new Set(worker.told('outage.began').map(({ reason }) => reason));
  expect([...reasons]).toEqual(['no answer within 500 ms']);
});

it('a third is answered with 500, another third never', async () => {
  await survivesUnderLoad({
    fault: ({ sequence }) =>
      [{ kind: 'hang' } as const, { kind: 'status', status: 500 } as const, undefined][sequence % 3],
    env: { TSWORKER_REPORT_TIMEOUT: '500ms' },
    reports: 30,
  });
});
