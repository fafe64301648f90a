// node scripts/campaigns/standby.mjs [TESTS] [ROUNDS]
//
// Runs a file of one-line tests on a live state with machines that stand by and, in turns, with a limit
// of one machine, so that none can. Tells milliseconds a test, and how many of them are the restore.
import { Suite } from './restores/suite.mjs'

const tests = Number(process.argv[2] ?? 200)
const rounds = Number(process.argv[3] ?? 5)

const WAYS = { 'with standby': {}, without: { VM_STATES_MAX_MACHINES: '1' } }

const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

const suite = await Suite.create()
try {
  await suite.run(2)
  const results = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [way, env] of Object.entries(WAYS)) {
      const { milliseconds, restoreSeconds } = await suite.run(tests, env)
      results[way].push({ test: milliseconds / tests, restore: (restoreSeconds * 1000) / tests })
    }
  }
  for (const [way, all] of Object.entries(results)) {
    const test = median(all.map((each) => each.test))
    const restore = median(all.map((each) => each.restore))
    const each = all.map((one) => one.test.toFixed(1)).join(', ')
    console.log(
      `${way}: ${test.toFixed(1)} ms a test (${each}), ${restore.toFixed(1)} of them restore`,
    )
  }
} finally {
  await suite.project.remove()
}
