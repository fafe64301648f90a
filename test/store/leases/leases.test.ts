import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { removalLock } from '../../../src/store/leases/removal-lock.js'
import { acquireLock } from '../../../src/store/lock/acquire.js'
import { type CompiledWorker, compileWorker } from '../support/compile.js'
import { addObject, scratchDirectory, scratchStore } from '../support/scratch-store.js'
import { WorkerProcess } from '../support/worker-process.js'

let worker: CompiledWorker
beforeAll(async () => {
  worker = await compileWorker()
})
afterAll(() => worker.remove())

test('a leased object cannot be removed until every lease is released', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  const leases = [await store.lease(object.id), await store.lease(object.id)]
  for (const lease of leases) {
    await expect(store.objects.remove(object.id)).rejects.toMatchObject({ code: 'OBJECT_IN_USE' })
    await lease.release()
  }
  expect(await store.objects.remove(object.id)).toBe(true)
})

test('the lease of another process holds while that lives', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  await using other = new WorkerProcess(worker.program, store.root)
  await other.call('lease', object.id)
  await expect(store.objects.remove(object.id)).rejects.toMatchObject({
    code: 'OBJECT_IN_USE',
    message: expect.stringContaining('worker.js'),
  })
  await other.kill()
  expect(await store.objects.remove(object.id)).toBe(true)
  await store.reap()
  expect(await readdir(join(store.root, 'leases'))).toEqual([])
})

test('a lease for a run holds until the run ends', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  const run = await store.runs.begin({ lifetime: 'process', label: 'test' })
  await store.lease(object.id, { run })
  await expect(store.objects.remove(object.id)).rejects.toMatchObject({
    code: 'OBJECT_IN_USE',
    message: expect.stringContaining(run.id),
  })
  await run.end()
  expect(await store.objects.remove(object.id)).toBe(true)
})

test('a pin holds for as long as the file that stands on the object exists', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  const overlay = join(await scratchDirectory(), 'overlay.qcow2')
  await writeFile(overlay, '')
  await store.pin(object.id, overlay)
  await store.reap()
  await expect(store.objects.remove(object.id)).rejects.toMatchObject({
    code: 'OBJECT_IN_USE',
    message: expect.stringContaining(overlay),
  })
  await rm(overlay)
  expect(await store.objects.remove(object.id)).toBe(true)
})

test('a pin whose file cannot be looked at holds, and troubles nobody else', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  const folder = join(await scratchDirectory(), 'folder')
  await mkdir(folder)
  await store.pin(object.id, join(folder, 'overlay.qcow2'))
  await rm(folder, { recursive: true })
  await symlink('folder', folder)
  await store.reap()
  await expect(store.objects.remove(object.id)).rejects.toMatchObject({ code: 'OBJECT_IN_USE' })
  await rm(folder)
  expect(await store.objects.remove(object.id)).toBe(true)
})

test('a missing object can be neither leased nor pinned', async () => {
  const store = await scratchStore()
  await expect(store.lease('missing')).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
  await expect(store.pin('missing', '/x')).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
  expect(await readdir(join(store.root, 'leases'))).toEqual([])
})

test('an object is either leased or removed, never both', async () => {
  const store = await scratchStore()
  for (let round = 0; round < 25; round += 1) {
    const object = await addObject(store)
    const [lease] = await Promise.allSettled([
      store.lease(object.id),
      store.objects.remove(object.id),
    ])
    const isThere = (await store.objects.get(object.id)) !== undefined
    expect(isThere).toBe(lease.status === 'fulfilled')
  }
})

test('a lease waits for a removal that is under way, and then says what came of it', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  const removal = await acquireLock(join(store.root, 'locks'), removalLock(object.id))
  const leased = store.lease(object.id)
  const settled = leased.then(
    () => 'leased',
    () => 'refused',
  )
  await expect.poll(() => readdir(join(store.root, 'leases')), { timeout: 10_000 }).toHaveLength(1)
  await addObject(store, 'meanwhile')
  await rm(object.directory, { recursive: true })
  await removal.release()
  expect(await settled).toBe('refused')
  await expect(leased).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
})

test('two removals of an object take turns', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  const first = await acquireLock(join(store.root, 'locks'), removalLock(object.id))
  let isDone = false
  const second = store.objects.remove(object.id).finally(() => {
    isDone = true
  })
  await addObject(store, 'meanwhile')
  expect(isDone).toBe(false)
  await first.release()
  expect(await second).toBe(true)
})
