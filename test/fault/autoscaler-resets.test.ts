import { it } from 'vitest';
import { survivesUnderLoad } from '../support/faults-load.js';

it('a third of the reports is answered with a reset of the connection', async () => {
  await survivesUnderLoad({
    fault: ({ sequence }) => (sequence % 3 === 1 ? { kind: 'reset' } : undefined),
  });
});
