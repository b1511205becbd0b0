import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that wait for minutes; `npm run test:long` runs them. */
const LONG = 'test/e2e/long/**';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      ...(process.env['BATCHWRIGHT_LONG'] === undefined ? [LONG] : []),
    ],
    environment: 'node',
    // Worker threads and child processes are part of what is tested: each file gets a process.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 90_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    passWithNoTests: false,
    allowOnly: false,
    restoreMocks: true,
    unstubEnvs: true,
  },
});
