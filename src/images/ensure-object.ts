import { inStore } from '../store/files/storage-error.js'
import type { StoredObject } from '../store/objects/manifest.js'
import type { Store } from '../store/store.js'

/**
 * The store's object for a key. It is made once: processes that want it at the same time wait for
 * the first one, and one that dies leaves nothing behind.
 *
 * @param make - writes the object's files into an empty directory, and returns what its manifest
 *   says about them
 * @param parents - the objects that its files stand on
 */
export async function ensureObject(
  store: Store,
  key: string,
  make: (directory: string) => Promise<unknown>,
  signal?: AbortSignal,
  parents: readonly string[] = [],
): Promise<StoredObject> {
  const present = await store.keys.lookup(key)
  if (present !== undefined) return present
  await using lock = await store.lock(key, { signal })
  const meanwhile = await store.keys.lookup(key)
  if (meanwhile !== undefined) return meanwhile
  const draft = await store.objects.createDraft()
  try {
    const meta = await inStore(draft.directory, () => make(draft.directory))
    await using _lease = await draft.lease()
    const object = await draft.commit({ key, meta, parents }, { lock })
    await store.keys.point(key, object.id)
    return object
  } catch (error) {
    await draft.discard()
    throw error
  }
}
