import { defineConfig } from 'vitest/config'
import { vmStates } from 'vitest-vm-states/plugin'

export default defineConfig({
  plugins: [vmStates()],
  test: { maxWorkers: 2, testTimeout: 60_000 },
})
