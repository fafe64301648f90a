// Has 16 processes ask at one moment for a five-deep chain with two branches, 20 times, where the
// tests let fewer ask once; every state must be built exactly once, every time. Takes 10 minutes.
//
// usage: node scripts/campaigns/build-race.mjs [ROUNDS] [PROCESSES]
import { spawnSync } from 'node:child_process'

const [rounds = '20', processes = '16'] = process.argv.slice(2)
const { status } = spawnSync('npx', ['vitest', 'run', 'test/states/graph/race'], {
  stdio: 'inherit',
  env: { ...process.env, VM_STATES_RACE_ROUNDS: rounds, VM_STATES_RACE_PROCESSES: processes },
})
process.exit(status ?? 1)
