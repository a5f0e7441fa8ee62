import { expect, it } from 'vitest';
import type { Fault } from '../../src/autoscaler/index.js';
import { draws, survivesUnderLoad } from '../support/faults-load.js';

const FAULTS: readonly (Fault | undefined)[] = [
  { kind: 'status', status: 500 },
  { kind: 'hang' },
  { kind: 'reset' },
  { kind: 'cut' },
  { kind: 'slow', delayMs: 100 },
  { kind: 'status', status: 302 },
  undefined,
  undefined,
];

it('every fault in a random order', async () => {
  const seed = Number(process.env.FAULTS_SEED ?? Date.now() % 2 ** 31);
  console.info(`FAULTS_SEED=${seed}`);
  const draw = draws(seed);
  const seen = new Set<string>();
  await survivesUnderLoad({
    fault: () => {
      const fault = FAULTS[Math.floor(draw() * FAULTS.length)];
      seen.add(fault?.kind ?? 'none');
      return fault;
    },
    env: { TSWORKER_REPORT_TIMEOUT: '500ms' },
    reports: 60,
  });
  expect([...seen].sort()).toEqual(['cut', 'hang', 'none', 'reset', 'slow', 'status']);
});
