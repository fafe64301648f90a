import { rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newOwnerRecord, type OwnerRecord } from '../../../src/store/owner/owner-record.js'
import { type CompiledWorker, compileWorker } from '../support/compile.js'
import { scratchStore } from '../support/scratch-store.js'
import { WorkerProcess } from '../support/worker-process.js'

let worker: CompiledWorker
beforeAll(async () => {
  worker = await compileWorker()
})
afterAll(() => worker.remove())

test('a lock excludes a second caller in the same process', async () => {
  const store = await scratchStore()
  let inside = 0
  const visit = async (): Promise<number> => {
    await using _lock = await store.lock('visit')
    inside += 1
    const seen = inside
    await stat(store.root)
    inside -= 1
    return seen
  }
  expect(await Promise.all(Array.from({ length: 8 }, visit))).toEqual(Array(8).fill(1))
})

test('a released lock is picked up at once by a process that waits for it', async () => {
  const store = await scratchStore()
  await using other = new WorkerProcess(worker.program, store.root)
  const delays: number[] = []
  for (let round = 0; round < 7; round += 1) {
    await other.call('lock', 'handed-on')
    let isWaiting = () => {}
    const waits = new Promise<void>((resolve) => {
      isWaiting = resolve
    })
    const mine = store.lock('handed-on', { onWait: isWaiting })
    await waits
    const released = performance.now()
    await other.call('release')
    await (await mine).release()
    delays.push(performance.now() - released)
  }
  expect(delays.sort((a, b) => a - b)[3]).toBeLessThan(100)
})

test('whoever waits is told whom for, and gives up at the deadline with an error that says so', async () => {
  const store = await scratchStore()
  await using other = new WorkerProcess(worker.program, store.root)
  await other.call('lock', 'busy')
  const owners: OwnerRecord[] = []
  await expect(
    store.lock('busy', { timeout: 200, onWait: (owner) => owners.push(owner) }),
  ).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringContaining(`process ${other.pid} (worker.js)`),
  })
  expect(owners.map(({ pid }) => pid)).toEqual([other.pid])
})

test('a wait can be cancelled, before it starts and during it', async () => {
  const store = await scratchStore()
  await using _lock = await store.lock('busy')
  const controller = new AbortController()
  const waiting = store.lock('busy', {
    signal: controller.signal,
    onWait: () => controller.abort(new Error('enough')),
  })
  await expect(waiting).rejects.toMatchObject({
    code: 'ABORTED',
    cause: expect.objectContaining({ message: 'enough' }),
  })
  await expect(store.lock('free', { signal: controller.signal })).rejects.toMatchObject({
    code: 'ABORTED',
  })
})

test('the lock of a killed process is free at once', async () => {
  const store = await scratchStore()
  await using other = new WorkerProcess(worker.program, store.root)
  await other.call('lock', 'left-behind')
  await other.kill()
  const lock = await store.lock('left-behind', { timeout: 0 })
  await lock.assertHeld()
  await lock.release()
})

test('a process that got the pid of a dead owner does not hold its lock', async () => {
  const store = await scratchStore()
  await (await store.lock('reused')).release()
  const record = { ...newOwnerRecord(), startTime: '1' }
  await symlink(JSON.stringify(record), join(store.root, 'locks/reused'))
  await (await store.lock('reused', { timeout: 0 })).release()
})

test('the lock is free when the heir of a dead owner has died too', async () => {
  const store = await scratchStore()
  await (await store.lock('orphan')).release()
  const dead = { ...newOwnerRecord(), startTime: '1' }
  const heir = { ...newOwnerRecord(), startTime: '1' }
  await symlink(JSON.stringify(dead), join(store.root, 'locks/orphan'))
  await symlink(JSON.stringify(heir), join(store.root, `locks/.heir-${dead.nonce}`))
  await (await store.lock('orphan', { timeout: 0 })).release()
})

test('the lock of a thread that was terminated is free while its process lives on', async () => {
  const store = await scratchStore()
  const { Worker } = await import('node:worker_threads')
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.module)
      .then(({ openStore }) => openStore(workerData.root))
      .then((store) => store.lock('of-a-thread'))
      .then(() => parentPort.postMessage('held'))
    setInterval(() => {}, 1000)
  `
  const module = worker.program.replace('test/store/support/worker.js', 'src/store/store.js')
  const thread = new Worker(code, { eval: true, workerData: { module, root: store.root } })
  await new Promise((resolve) => thread.once('message', resolve))
  await expect(store.lock('of-a-thread', { timeout: 0 })).rejects.toMatchObject({ code: 'TIMEOUT' })
  await thread.terminate()
  await (await store.lock('of-a-thread', { timeout: 1000 })).release()
})

test('a lock survives the loss of its heartbeat, and beats again', async () => {
  const store = await scratchStore()
  const lock = await store.lock('shaken')
  const heartbeat = join(store.root, 'locks/.heartbeat-shaken')
  await rm(heartbeat, { recursive: true })
  await expect.poll(() => stat(heartbeat).then(() => true), { timeout: 10_000 }).toBe(true)
  await lock.assertHeld()
  await lock.release()
  await (await store.lock('shaken', { timeout: 0 })).release()
})

test('a lock that was released is not held', async () => {
  const store = await scratchStore()
  const lock = await store.lock('given-back')
  await lock.release()
  await expect(lock.assertHeld()).rejects.toMatchObject({ code: 'LOCK_LOST' })
  await using _next = await store.lock('given-back')
  await lock.release()
  await expect(store.lock('given-back', { timeout: 0 })).rejects.toMatchObject({ code: 'TIMEOUT' })
})

test('a name that cannot be a file, or a file that is no record, is refused', async () => {
  const store = await scratchStore()
  for (const name of ['', '../x', '.hidden', 'a/b', 'x'.repeat(201)]) {
    await expect(store.lock(name)).rejects.toMatchObject({ code: 'INVALID_NAME' })
  }
  await (await store.lock('odd')).release()
  await writeFile(join(store.root, 'locks/odd'), 'not a record')
  await expect(store.lock('odd')).rejects.toMatchObject({ code: 'STORE_DAMAGED' })
})
