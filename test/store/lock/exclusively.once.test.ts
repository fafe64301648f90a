import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exclusively } from '../../../src/store/lock/exclusively.js'
import { type CompiledWorker, compileWorker } from '../support/compile.js'
import { scratchDirectory } from '../support/scratch-store.js'
import { WorkerProcess } from '../support/worker-process.js'

let worker: CompiledWorker
beforeAll(async () => {
  worker = await compileWorker()
})
afterAll(() => worker.remove())

test('processes that do something exclusively, some killed in the midst of it, never do it at once', async () => {
  const store = await scratchDirectory()
  writeFileSync(join(store, 'count'), '0')
  const lanes = [0, 1, 2, 3].map(async (lane) => {
    await using counter = new WorkerProcess(worker.program, store)
    const counting = counter.call('count', 40, lane === 0)
    await (lane === 0 ? expect(counting).rejects.toThrow('ended') : counting)
  })
  await Promise.all(lanes)
  expect(Number(readFileSync(join(store, 'count'), 'utf8'))).toBe(3 * 40 + 20)
})

test('what fails is thrown, and lets the next one in', async () => {
  const locks = await scratchDirectory()
  const work = () => {
    throw new Error('no')
  }
  await expect(exclusively(locks, 'name', work)).rejects.toThrow('no')
  expect(await exclusively(locks, 'name', () => 'done')).toBe('done')
})
