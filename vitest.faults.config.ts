import { defineConfig } from 'vitest/config';

/** Faults run one at a time against real processes: they share two cores with what they measure. */
export default defineConfig({
  test: {
    include: ['test/fault/**/*.test.ts'],
    globalSetup: 'test/support/faults-build.ts',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 30_000,
  },
});
