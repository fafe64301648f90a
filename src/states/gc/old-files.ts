import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { wallClock } from '../../params/clocks.js'
import { isVmStatesError } from '../../params/errors.js'
import { inStore, unlessMissing } from '../../store/files/storage-error.js'
import type { Store } from '../../store/store.js'

/** Milliseconds after which nobody is likely to go on with a download that was broken off. */
const BROKEN_OFF_FOR = 86_400_000

const BLOCK = 512

/** A file of a store that belongs to no object. */
export interface OldFile {
  /** Absolute path. */
  path: string
  /** Bytes on the disk. */
  size: number
}

export interface OldFileOptions {
  /** Milliseconds. */
  maxAge: number
  dryRun: boolean
}

/**
 * Deletes logs of failed builds that are older than `maxAge`, and downloads that were broken off.
 *
 * @returns what was deleted, or would be
 */
export async function removeOldFiles(
  store: Store,
  { maxAge, dryRun }: OldFileOptions,
): Promise<OldFile[]> {
  const logs = await filesIn(join(store.root, 'logs'), maxAge)
  const downloads = await filesIn(join(store.root, 'downloads'), Math.min(maxAge, BROKEN_OFF_FOR))
  if (dryRun) return [...logs, ...downloads].map(({ path, size }) => ({ path, size }))
  for (const { path } of logs) await inStore(path, () => rm(path, { force: true }))
  const removed: OldFile[] = [...logs]
  for (const file of downloads) {
    if (await removeDownload(store, file)) removed.push(file)
  }
  return removed.map(({ path, size }) => ({ path, size }))
}

interface FoundFile extends OldFile {
  name: string
}

/** Also in directories, as logs are: one for each machine. */
async function filesIn(directory: string, maxAge: number): Promise<FoundFile[]> {
  const read = () => readdir(directory, { recursive: true, withFileTypes: true })
  const entries = (await inStore(directory, () => unlessMissing(read()))) ?? []
  const found = entries.filter((entry) => !entry.isDirectory())
  const files = found.map(async ({ name, parentPath }): Promise<FoundFile[]> => {
    const path = join(parentPath, name)
    const stats = await unlessMissing(stat(path))
    if (stats === undefined || wallClock() - stats.mtimeMs <= maxAge) return []
    return [{ name, path, size: stats.blocks * BLOCK }]
  })
  return (await Promise.all(files)).flat()
}

/** Under the lock of whoever downloads it, which has the name of the image's key. */
async function removeDownload(store: Store, { name, path }: FoundFile): Promise<boolean> {
  try {
    await using _lock = await store.lock(`image-${name}`, { timeout: 0 })
    await inStore(path, () => rm(path, { force: true }))
    return true
  } catch (error) {
    if (isVmStatesError(error, 'TIMEOUT')) return false
    throw error
  }
}
