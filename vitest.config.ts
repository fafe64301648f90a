import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // More than cores: tests wait for guests, locks and deadlines half of their time.
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 180_000,
  },
})
