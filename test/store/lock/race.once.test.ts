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
    atLeast: { killed: 10, acquired: 30 },
  })
  expect(result.overlaps).toEqual([])
  await (await store.lock('race', { timeout: 1000 })).release()
})

test('processes of several PID namespaces never hold the same lock at once', async () => {
  const store = await scratchStore()
  const result = await race(worker.program, store.root, {
    processes: [[], [], inOwnPidNamespace, inOwnPidNamespace],
    milliseconds: 2000,
    deadlyEvery: 0,
    atLeast: { killed: 0, acquired: 20 },
  })
  expect(result.overlaps).toEqual([])
})
