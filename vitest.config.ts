import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/sum-coverage.ts',
    exclude: ['test/fault/**', 'test/e2e/**'],
    // Quicker to start than processes, of which each file would need one.
    pool: 'threads',
    // Vitest would leave one core alone, which on two cores doubles the time.
    maxWorkers: '100%',
    testTimeout: 20_000,
    restoreMocks: true,
  },
});
