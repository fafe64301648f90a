import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CompiledWorker, compileWorker } from '../support/compile.js'
import { race } from '../support/race.js'
import { scratchStore } from '../support/scratch-store.js'
import { inOwnPidNamespace } from '../support/worker-process.js'

let worker: CompiledWorker
beforeAll(async () => {
  worker = await compileWorker()
})
afterAll(() => worker.remove())

test('16 processes, killed at any moment, never hold the same lock at once', async () => {
  const store = await scratchStore()
  const result = await race(worker.program, store.root, {
    processes: Array.from({ length: 16 }, () => []),
    milliseconds: 4000,
    deadlyEvery: 1000,
  })
  expect(result.overlaps).toEqual([])
  expect(result.killed).toBeGreaterThan(10)
  expect(result.acquired).toBeGreaterThan(30)
  await (await store.lock('race', { timeout: 1000 })).release()
})

test('processes of several PID namespaces never hold the same lock at once', async () => {
  const store = await scratchStore()
  const result = await race(worker.program, store.root, {
    processes: [[], [], inOwnPidNamespace, inOwnPidNamespace],
    milliseconds: 2000,
    deadlyEvery: 0,
  })
  expect(result.overlaps).toEqual([])
  expect(result.acquired).toBeGreaterThan(20)
})
