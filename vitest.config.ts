import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/fault/**', 'test/e2e/**'],
    testTimeout: 20_000,
    restoreMocks: true,
  },
});
