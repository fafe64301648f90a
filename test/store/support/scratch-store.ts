import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { StoredObject } from '../../../src/store/objects/manifest.js'
import { openStore, type Store } from '../../../src/store/store.js'

/** Does something when the test ends; a concurrent test has one of its own in its context. */
export type AtEnd = (cleanUp: () => Promise<void>) => void

/** A directory that is deleted after the test. */
export async function scratchDirectory(atEnd: AtEnd = onTestFinished): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'store-'))
  atEnd(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** A store of its own for a test. */
export async function scratchStore(atEnd: AtEnd = onTestFinished): Promise<Store> {
  const store = await openStore(join(await scratchDirectory(atEnd), 'store'))
  atEnd(() => store.close())
  return store
}

/** Puts an object with one small file into a store. */
export async function addObject(
  store: Store,
  key = 'key',
  parents: readonly string[] = [],
): Promise<StoredObject> {
  const draft = await store.objects.createDraft()
  await writeFile(join(draft.directory, 'disk.qcow2'), `disk of ${key}`)
  const object = await draft.commit({ key, parents })
  await store.keys.point(key, object.id)
  return object
}
