import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
