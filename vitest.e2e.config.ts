import { defineConfig } from 'vitest/config';

/** End to end: a real browser, a packed package, a terminal. One file at a time, as they share two cores. */
export default defineConfig({
  test: {
    include: ['test/e2e/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 15_000 } },
  },
});
