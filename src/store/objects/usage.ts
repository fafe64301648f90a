import { type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as letOthersRun } from 'node:timers/promises'
import { MANIFEST_FILE, type StoredObject } from './manifest.js'

/** Bytes of a block as `stat` counts them, whatever the filesystem's own are. */
const BLOCK = 512

const LOOK_AT_ONCE = 50

/** What an object costs, and when it was last worth it. */
export interface ObjectUsage {
  /** Bytes of disk that its files take; holes take none. */
  size: number
  lastUsedAt: Date
  /** Whether every file is there, with the size that the manifest says. */
  isComplete: boolean
}

/**
 * Looks at the files of objects, synchronously, some at once, as for reading small files.
 *
 * @returns by ids; nothing for an object that is gone
 */
export async function usageOf(
  objects: readonly StoredObject[],
): Promise<ReadonlyMap<string, ObjectUsage>> {
  const usage = new Map<string, ObjectUsage>()
  for (const [index, object] of objects.entries()) {
    if (index % LOOK_AT_ONCE === LOOK_AT_ONCE - 1) await letOthersRun()
    const found = usageNow(object)
    if (found !== undefined) usage.set(object.id, found)
  }
  return usage
}

/** Looks at the files of one object; undefined if it is gone. */
function usageNow({ directory, manifest }: StoredObject): ObjectUsage | undefined {
  const own = stat(join(directory, MANIFEST_FILE))
  if (own === undefined) return undefined
  const files = manifest.files.map(({ name }) => stat(join(directory, name)))
  const blocks = files.reduce((sum, stats) => sum + (stats?.blocks ?? 0), own.blocks)
  const isComplete = files.every((stats, index) => stats?.size === manifest.files[index]?.size)
  return { size: blocks * BLOCK, lastUsedAt: own.mtime, isComplete }
}

function stat(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}
