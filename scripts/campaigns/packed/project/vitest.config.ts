import { defineConfig } from 'vitest/config'
import { vmStates } from 'vitest-vm-states/plugin'

export default defineConfig({ plugins: [vmStates()], test: { testTimeout: 60_000, maxWorkers: 2 } })
