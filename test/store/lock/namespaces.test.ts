import { readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type CompiledWorker, compileWorker } from '../support/compile.js'
import { scratchStore } from '../support/scratch-store.js'
import { inOwnPidNamespace, WorkerProcess } from '../support/worker-process.js'

let worker: CompiledWorker
beforeAll(async () => {
  worker = await compileWorker()
})
afterAll(() => worker.remove())

describe.concurrent('an owner in another PID namespace', () => {
  test('keeps its lock for as long as its heart beats', async ({ expect, onTestFinished }) => {
    const store = await scratchStore(onTestFinished)
    await using other = new WorkerProcess(worker.program, store.root, inOwnPidNamespace)
    await other.call('lock', 'elsewhere')
    await expect(store.lock('elsewhere', { timeout: 5500 })).rejects.toMatchObject({
      code: 'TIMEOUT',
    })
    await other.call('assertHeld')
  })

  test('is replaced soon after it was killed', async ({ expect, onTestFinished }) => {
    const store = await scratchStore(onTestFinished)
    await using other = new WorkerProcess(worker.program, store.root, inOwnPidNamespace)
    await other.call('lock', 'elsewhere')
    await other.kill()
    const killed = performance.now()
    await (await store.lock('elsewhere')).release()
    expect(performance.now() - killed).toBeLessThan(6000)
  })

  test('that stood still loses its lock, and commits nothing', async ({
    expect,
    onTestFinished,
  }) => {
    const store = await scratchStore(onTestFinished)
    await using other = new WorkerProcess(worker.program, store.root, inOwnPidNamespace)
    await other.call('lock', 'elsewhere')
    await other.call('draft')
    const stalled = other.call('stall', 6500)
    await using _lock = await store.lock('elsewhere')
    await stalled
    await expect(other.call('assertHeld')).rejects.toMatchObject({ code: 'LOCK_LOST' })
    await expect(other.call('commit')).rejects.toMatchObject({ code: 'LOCK_LOST' })
    expect(await store.objects.list()).toEqual([])
    await other.call('release')
    await expect(store.lock('elsewhere', { timeout: 0 })).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  test('leaves drafts that a reap keeps while it lives', async ({ expect, onTestFinished }) => {
    const store = await scratchStore(onTestFinished)
    await using other = new WorkerProcess(worker.program, store.root, inOwnPidNamespace)
    await other.call('draft')
    await other.call('run', 'process')
    expect(await store.reap()).toEqual({ runs: [], processes: [], drafts: 0 })
    expect(await readdir(join(store.root, 'runs'))).toHaveLength(1)
    await other.call('commit')
    expect(await store.objects.list()).toHaveLength(1)
  })

  test('leaves drafts and runs that a reap deletes when its heart stood still for long', async ({
    expect,
    onTestFinished,
  }) => {
    const store = await scratchStore(onTestFinished)
    await using living = new WorkerProcess(worker.program, store.root, inOwnPidNamespace)
    await using dead = new WorkerProcess(worker.program, store.root, inOwnPidNamespace)
    const kept = await living.call('run', 'process')
    await living.call('draft')
    await dead.call('draft')
    const { id } = await dead.call('run', 'process')
    await dead.kill()
    const locks = join(store.root, 'locks')
    const longAgo = new Date(Date.now() - 60_000)
    for (const name of await readdir(locks)) {
      if (name.startsWith('.heartbeat-')) await utimes(join(locks, name), longAgo, longAgo)
    }
    expect(await store.reap()).toEqual({ runs: [id], processes: [], drafts: 1 })
    expect(await readdir(join(store.root, 'runs'))).toEqual([kept.id])
    expect(await living.call('commit')).not.toBe('')
  })
})
