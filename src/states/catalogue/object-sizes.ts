import type { StoredObject } from '../../store/objects/manifest.js'
import { usageOf } from '../../store/objects/usage.js'

/** What an object takes of the disk, and when it was last used. */
export interface ObjectSizes {
  /** Bytes on the disk of its own files: what is free once it is removed. */
  size: number
  /** Bytes on the disk of all that it stands on in the store, which others may stand on too. */
  sharedSize: number
  lastUsedAt: Date
}

/**
 * Tells what objects take of the disk.
 *
 * @param objects - all of a store
 * @returns by the directories of the objects
 */
export async function objectSizes(
  objects: readonly StoredObject[],
): Promise<ReadonlyMap<string, ObjectSizes>> {
  const usage = await usageOf(objects)
  const byId = new Map(objects.map((object) => [object.id, object]))
  const sizes = new Map<string, ObjectSizes>()
  for (const object of objects) {
    const own = usage.get(object.id)
    if (own === undefined) continue
    let sharedSize = 0
    for (const id of ancestorsOf(object, byId)) sharedSize += usage.get(id)?.size ?? 0
    sizes.set(object.directory, { size: own.size, sharedSize, lastUsedAt: own.lastUsedAt })
  }
  return sizes
}

function ancestorsOf(
  { manifest }: StoredObject,
  byId: ReadonlyMap<string, StoredObject>,
  found = new Set<string>(),
): ReadonlySet<string> {
  for (const id of manifest.parents) {
    const parent = byId.get(id)
    if (parent === undefined || found.has(id)) continue
    found.add(id)
    ancestorsOf(parent, byId, found)
  }
  return found
}
