// Kills every operation of the internal and the external backend on two images before each of its
// steps, where the tests take a sample. Takes one to three minutes.
//
// usage: node scripts/campaigns/image-backend-crashes.mjs
import { spawnSync } from 'node:child_process'

const { status } = spawnSync('npx', ['vitest', 'run', 'test/backends/crash'], {
  stdio: 'inherit',
  env: { ...process.env, VM_STATES_CRASH_STRIDE: '1' },
})
process.exit(status ?? 1)
