import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lastUseOf } from '../../../src/store/objects/last-use.js'
import type { StoredObject } from '../../../src/store/objects/manifest.js'
import { addObject, scratchDirectory, scratchStore } from '../support/scratch-store.js'

const LONG_AGO = new Date('2020-02-02T02:02:02Z')
const YESTERDAY = new Date(Date.now() - 86_400_000)

const wasUsed = ({ directory }: StoredObject, at: Date) =>
  utimes(join(directory, 'manifest.json'), at, at)

const isRecent = (date: Date | undefined) => Date.now() - Number(date) < 60_000

test('an object counts as used when it is made, leased, pinned or stood on; not when it is read', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  expect(isRecent(await lastUseOf(object.directory))).toBe(true)
  const overlay = join(await scratchDirectory(), 'overlay.qcow2')
  const uses = [
    async () => (await store.lease(object.id)).release(),
    () => store.pin(object.id, overlay),
    () => addObject(store, 'child', [object.id]),
  ]
  for (const use of uses) {
    await wasUsed(object, LONG_AGO)
    await store.objects.list()
    await store.keys.lookup('key')
    await store.reap()
    expect(await lastUseOf(object.directory)).toEqual(LONG_AGO)
    await use()
    expect(isRecent(await lastUseOf(object.directory))).toBe(true)
  }
})

test('what an object stood on counts as used when the object was, once it is removed', async () => {
  const store = await scratchStore()
  const parent = await addObject(store, 'parent')
  const recent = await addObject(store, 'recent', [parent.id])
  const older = await addObject(store, 'older', [parent.id])
  await wasUsed(parent, LONG_AGO)
  await wasUsed(recent, YESTERDAY)
  await wasUsed(older, new Date('2021-01-01'))
  for (const { id } of [recent, older]) await store.objects.remove(id)
  expect(await lastUseOf(parent.directory)).toEqual(YESTERDAY)
})

test('a removed object was last used never', async () => {
  const store = await scratchStore()
  const object = await addObject(store)
  await store.objects.remove(object.id)
  expect(await lastUseOf(object.directory)).toBeUndefined()
})
