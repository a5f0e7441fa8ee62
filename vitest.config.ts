import { defineConfig } from 'vitest/config';

/** Files that mock a module; a test of the architecture holds them to this name. */
const ISOLATED = 'test/**/*.isolated.test.ts';

export default defineConfig({
  test: {
    // Quicker to start than processes, of which each file would need one.
    pool: 'threads',
    // Vitest would leave one core alone, which on two cores doubles the time.
    maxWorkers: '100%',
    testTimeout: 20_000,
    // Some compile a project first, which takes its time on a busy machine.
    hookTimeout: 60_000,
    restoreMocks: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'main',
          include: ['test/**/*.test.ts'],
          exclude: ['test/fault/**', 'test/e2e/**', ISOLATED],
          globalSetup: 'test/support/sum-coverage.ts',
          // Files of one thread share the modules: to load them anew for each would take a third of the time.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'isolated', include: [ISOLATED] } },
    ],
  },
});
