import { stat } from 'node:fs/promises'
import type { StoredObject } from '../../store/objects/manifest.js'
import { usageOf } from '../../store/objects/usage.js'
import { readMeta } from '../graph/state-meta.js'

/** Bytes of a block as `stat` counts them. */
const BLOCK = 512

/** The RAM of the machines of a live state, where it is a file that machines map. */
export interface RamSize {
  /** Bytes that guests see. */
  size: number
  /** Bytes on the disk: what the guests had not used takes none. */
  onDisk: number
}

/** What an object takes of the disk, and when it was last used. */
export interface ObjectSizes {
  /** Bytes on the disk of its own files: what is free once it is removed. */
  size: number
  /** Bytes on the disk of all that it stands on in the store, which others may stand on too. */
  sharedSize: number
  lastUsedAt: Date
  ram?: RamSize
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
    const ram = await ramOf(object)
    const { size, lastUsedAt } = own
    sizes.set(object.directory, { size, sharedSize, lastUsedAt, ...(ram && { ram }) })
  }
  return sizes
}

/** Undefined for a state without such a file. */
async function ramOf(object: StoredObject): Promise<RamSize | undefined> {
  const members = Object.values(readMeta(object)?.members ?? {})
  const rams = members.flatMap(({ files: { memory } }) =>
    memory?.ram === undefined ? [] : [{ path: memory.ram, size: memory.size }],
  )
  if (rams.length === 0) return undefined
  const files = await Promise.all(rams.map(({ path }) => stat(path).catch(() => undefined)))
  return {
    size: rams.reduce((sum, { size }) => sum + size, 0),
    onDisk: files.reduce((sum, file) => sum + (file?.blocks ?? 0) * BLOCK, 0),
  }
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
