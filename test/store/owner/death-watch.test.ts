import { expect, test } from 'vitest'
import { watchForDeath } from '../../../src/store/owner/death-watch.js'
import { newOwnerRecord } from '../../../src/store/owner/owner-record.js'

const elsewhere = { ...newOwnerRecord(), pidNamespace: 'pid:[1]' }

/** Looks at an owner of another namespace again and again; tells after how long it counts as dead. */
async function timeOfDeath(gap: number, heartbeatAt: (time: number) => string): Promise<number> {
  let time = 0
  const isDead = watchForDeath(() => time)
  while (time < 100_000) {
    if (await isDead(elsewhere, async () => heartbeatAt(time))) return time
    time += gap
  }
  return Number.POSITIVE_INFINITY
}

test('an owner elsewhere is dead when its heart has stood still for four seconds', async () => {
  expect(await timeOfDeath(50, () => 'same')).toBe(4000)
})

test('an owner elsewhere lives while its heart beats', async () => {
  expect(await timeOfDeath(50, (time) => String(Math.floor(time / 3500)))).toBe(
    Number.POSITIVE_INFINITY,
  )
})

test('time in which nobody looked proves nothing', async () => {
  expect(await timeOfDeath(10_000, () => 'same')).toBeGreaterThan(40_000)
})
