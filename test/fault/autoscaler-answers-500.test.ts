import { it } from 'vitest';
import { survivesUnderLoad } from '../support/faults-load.js';

it.each([500, 503, 404, 302])('a third of the reports is answered with %i', async (status) => {
  await survivesUnderLoad({
    fault: ({ sequence }) => (sequence % 3 === 1 ? { kind: 'status', status } : undefined),
    reports: status === 500 ? 60 : 20,
  });
});
