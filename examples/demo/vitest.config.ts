import { vmStates } from 'vitest-vm-states/plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [vmStates()],
  test: { maxWorkers: 2, testTimeout: 60_000 },
})
