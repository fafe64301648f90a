import { readdir, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { addObject, scratchStore } from '../support/scratch-store.js'

test('a key stands for an object until it is pointed elsewhere or removed', async () => {
  const store = await scratchStore()
  expect(await store.keys.lookup('key')).toBeUndefined()
  const first = await addObject(store)
  expect(await store.keys.lookup('key')).toEqual(first)
  const second = await addObject(store)
  expect(await store.keys.lookup('key')).toEqual(second)
  expect(await store.keys.list()).toEqual(new Map([['key', second.id]]))
  await store.keys.remove('key')
  expect(await store.keys.lookup('key')).toBeUndefined()
  expect(await store.objects.get(second.id)).toEqual(second)
})

test('a reader finds one object or the other while the key changes, never nothing', async () => {
  const store = await scratchStore()
  const objects = [await addObject(store, 'a'), await addObject(store, 'b')]
  await store.keys.point('key', objects[0]?.id ?? '')
  let isChanging = true
  const change = async () => {
    for (let round = 0; round < 100; round += 1) {
      await store.keys.point('key', objects[round % 2]?.id ?? '')
    }
    isChanging = false
  }
  const read = async () => {
    while (isChanging) expect(objects).toContainEqual(await store.keys.lookup('key'))
  }
  await Promise.all([change(), read(), read()])
})

test('a key does not stand for an object that misses a file, or has a shorter one', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  const disk = join(object.directory, 'disk.qcow2')
  await truncate(disk, 3)
  expect(await store.keys.lookup('key')).toBeUndefined()
  await rm(disk)
  expect(await store.keys.lookup('key')).toBeUndefined()
})

test('a key does not stand for an object whose parent, or its parent, is missing', async () => {
  const store = await scratchStore()
  const image = await addObject(store, 'image')
  const parent = await addObject(store, 'parent', [image.id])
  const child = await addObject(store, 'child', [parent.id, image.id])
  expect(await store.keys.lookup('child')).toEqual(child)
  await rename(image.directory, `${image.directory}-elsewhere`)
  expect(await store.keys.lookup('child')).toBeUndefined()
})

test('an object of a newer format is left alone', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  const newer = JSON.stringify({ ...object.manifest, format: 2 })
  await writeFile(join(object.directory, 'manifest.json'), newer)
  expect(await store.keys.lookup('key')).toBeUndefined()
})

test('a key that cannot be a name of a file is refused', async () => {
  const store = await scratchStore()
  await expect(store.keys.lookup('../../etc/passwd')).rejects.toMatchObject({
    code: 'INVALID_NAME',
  })
  await expect(store.keys.point('a/b', 'id')).rejects.toMatchObject({ code: 'INVALID_NAME' })
})

test('a key goes with the object that it stands for, unless it stands for another by then', async () => {
  const store = await scratchStore()
  const older = await addObject(store)
  const newer = await addObject(store)
  await store.objects.remove(older.id)
  expect(await store.keys.lookup('key')).toEqual(newer)
  await store.objects.remove(newer.id)
  expect(await readdir(join(store.root, 'keys'))).toEqual([])
})

test('a reap removes the keys whose objects are gone, and no other', async () => {
  const store = await scratchStore()
  const gone = await addObject(store, 'gone')
  const there = await addObject(store, 'there')
  const newer = await addObject(store, 'newer')
  await writeFile(join(newer.directory, 'manifest.json'), '{"format":2}')
  await rm(gone.directory, { recursive: true })
  await store.reap()
  expect(await store.keys.list()).toEqual(
    new Map([
      ['newer', newer.id],
      ['there', there.id],
    ]),
  )
})

test('a key that is pointed at an object while another reaps it stays', async () => {
  const store = await scratchStore()
  for (let round = 0; round < 25; round += 1) {
    const gone = await addObject(store)
    await rm(gone.directory, { recursive: true })
    const [object] = await Promise.all([addObject(store), store.reap(), store.reap()])
    expect(await store.keys.lookup('key')).toEqual(object)
  }
})
