import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as letOthersRun } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { Context } from '../../../src/states/graph/context.js'

it.each([
  [2, undefined],
  [3, 3],
])('%i builds of a process go on at once, if it is told %s', async (most, builds) => {
  const store = await mkdtemp(join(tmpdir(), 'vms-turns-'))
  onTestFinished(() => rm(store, { recursive: true, force: true }))
  await using context = await Context.open({ store, builds, label: 'test' })
  let running = 0
  const counts = Array.from({ length: 6 }, () =>
    context.inTurn(async () => {
      running++
      for (let turn = 0; turn < 5; turn++) await letOthersRun()
      return running--
    }),
  )
  expect(Math.max(...(await Promise.all(counts)))).toBe(most)
})
