import { mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseManifest } from '../../../src/store/objects/manifest.js'
import { type CompiledWorker, compileWorker } from '../support/compile.js'
import { addObject, scratchStore } from '../support/scratch-store.js'
import { WorkerProcess } from '../support/worker-process.js'

let worker: CompiledWorker
beforeAll(async () => {
  worker = await compileWorker()
})
afterAll(() => worker.remove())

test('a committed draft is an object with a manifest of its files', async () => {
  const store = await scratchStore()
  const parent = await addObject(store, 'parent')
  const draft = await store.objects.createDraft()
  await mkdir(join(draft.directory, 'logs'))
  await writeFile(join(draft.directory, 'disk.qcow2'), 'disk')
  await writeFile(join(draft.directory, 'logs/build.log'), 'built')
  const object = await draft.commit({ key: 'child', parents: [parent.id], meta: { live: true } })
  expect(object.manifest).toMatchObject({
    format: 1,
    id: draft.id,
    key: 'child',
    parents: [parent.id],
    files: [
      { name: 'disk.qcow2', size: 4 },
      { name: 'logs/build.log', size: 5 },
    ],
    meta: { live: true },
  })
  expect(await store.objects.get(object.id)).toEqual(object)
  expect(await readFile(join(object.directory, 'disk.qcow2'), 'utf8')).toBe('disk')
  expect((await store.objects.list()).map(({ id }) => id)).toEqual([parent.id, object.id])
})

test('a relative path from a draft to another object is right after the commit', async () => {
  const store = await scratchStore()
  const parent = await addObject(store, 'parent')
  const draft = await store.objects.createDraft()
  await symlink(`../${parent.id}/disk.qcow2`, join(draft.directory, 'backing'))
  expect(await readFile(join(draft.directory, 'backing'), 'utf8')).toBe('disk of parent')
  const { directory } = await draft.commit({ key: 'child', parents: [parent.id] })
  expect(await readFile(join(directory, 'backing'), 'utf8')).toBe('disk of parent')
})

test('a draft is no object, and none when it was discarded', async () => {
  const store = await scratchStore()
  const draft = await store.objects.createDraft()
  await writeFile(join(draft.directory, 'disk'), 'half')
  expect(await store.objects.list()).toEqual([])
  expect(await store.objects.get(draft.id)).toBeUndefined()
  await draft.discard()
  expect(await readdir(join(store.root, 'objects'))).toEqual([])
})

test('a commit never overwrites an object', async () => {
  const store = await scratchStore()
  const draft = await store.objects.createDraft()
  const taken = join(dirname(draft.directory), draft.id)
  await mkdir(taken)
  await writeFile(join(taken, 'disk'), 'precious')
  await expect(draft.commit({ key: 'key' })).rejects.toMatchObject({ code: 'ENOTEMPTY' })
  expect(await readdir(taken)).toEqual(['disk'])
})

test('a commit without its parent is refused, and leaves the draft', async () => {
  const store = await scratchStore()
  const draft = await store.objects.createDraft()
  const parent = await addObject(store)
  await expect(draft.commit({ key: 'k', parents: [parent.id, 'gone'] })).rejects.toMatchObject({
    code: 'OBJECT_MISSING',
    message: expect.stringContaining(join(store.root, 'objects/gone')),
  })
  expect((await stat(draft.directory)).isDirectory()).toBe(true)
  expect(await store.objects.remove(parent.id)).toBe(true)
})

test('a commit under a lock that was lost is refused', async () => {
  const store = await scratchStore()
  const draft = await store.objects.createDraft()
  const lock = await store.lock('build')
  await lock.release()
  await expect(draft.commit({ key: 'key' }, { lock })).rejects.toMatchObject({ code: 'LOCK_LOST' })
  expect(await store.objects.list()).toEqual([])
})

test('the draft of a killed process is gone after the next reap, that of a living one is not', async () => {
  const store = await scratchStore()
  await using living = new WorkerProcess(worker.program, store.root)
  await using killed = new WorkerProcess(worker.program, store.root)
  const kept = await living.call('draft')
  await killed.call('draft')
  await killed.kill()
  expect(await store.reap()).toMatchObject({ drafts: 1 })
  expect(await readdir(join(store.root, 'objects'))).toEqual([basename(kept)])
  const id = await living.call('commit')
  expect(await store.objects.get(id)).toBeDefined()
})

test('an object whose manifest is damaged is none', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  await truncate(join(object.directory, 'manifest.json'), 20)
  expect(await store.objects.get(object.id)).toBeUndefined()
  expect(await store.objects.list()).toEqual([])
})

test('a removed object is gone with its files', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  expect(await store.objects.remove(object.id)).toBe(true)
  expect(await store.objects.remove(object.id)).toBe(false)
  expect(await readdir(join(store.root, 'objects'))).toEqual([])
})

test('an object that others stand on cannot be removed; the error names them', async () => {
  const store = await scratchStore()
  const parent = await addObject(store, 'parent')
  const child = await addObject(store, 'child', [parent.id])
  await expect(store.objects.remove(parent.id)).rejects.toMatchObject({
    code: 'OBJECT_IN_USE',
    message: expect.stringContaining(child.id),
  })
  await store.objects.remove(child.id)
  expect(await store.objects.remove(parent.id)).toBe(true)
})

test('a child is never committed onto a parent that is being removed', async () => {
  const store = await scratchStore()
  for (let round = 0; round < 30; round += 1) {
    const parent = await addObject(store, 'parent')
    const draft = await store.objects.createDraft()
    const [child, removed] = await Promise.allSettled([
      draft.commit({ key: 'child', parents: [parent.id] }),
      store.objects.remove(parent.id),
    ])
    const isThere = (await store.objects.get(parent.id)) !== undefined
    expect(isThere).toBe(child.status === 'fulfilled')
    expect(removed.status).toBe(isThere ? 'rejected' : 'fulfilled')
  }
})

test('what is not a manifest is never taken for one', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(parseManifest(text)).toBeUndefined()
    }),
  )
})

test('an object is in use from its commit on, for who leased its draft', async () => {
  const store = await scratchStore()
  const draft = await store.objects.createDraft()
  const lease = await draft.lease()
  const { id } = await draft.commit({ key: 'key' })
  await expect(store.objects.remove(id)).rejects.toMatchObject({ code: 'OBJECT_IN_USE' })
  await store.keys.point('key', id)
  await lease.release()
  expect(await store.objects.remove(id, { unlessKeyed: true })).toBe(false)
  await store.keys.remove('key')
  expect(await store.objects.remove(id, { unlessKeyed: true })).toBe(true)
})
