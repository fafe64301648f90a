import { link, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { newNonce } from '../names.js'
import { systemCode } from './storage-error.js'
import { syncPath } from './sync-path.js'

/** What the names of half-written files start with. */
export const UNFINISHED_PREFIX = '.tmp-'

/** How a file gets its name. */
export interface WriteOptions {
  /** Replace a file of that name; otherwise the one that is there stays. */
  replace: boolean
  /** Survive a power failure, at the price of waiting for the disk. */
  durable: boolean
  /** Who may read it, before the user's mask; the user alone by default. */
  mode?: number
}

/**
 * Writes a small file beside its place and gives it its name when it is complete.
 *
 * @returns whether the name now stands for this text: false if it was taken and may not be replaced
 */
export async function writeAtomically(
  path: string,
  text: string,
  { replace, durable, mode = 0o600 }: WriteOptions,
): Promise<boolean> {
  const unfinished = join(dirname(path), `${UNFINISHED_PREFIX}${newNonce()}`)
  try {
    const file = await open(unfinished, 'wx', mode)
    try {
      await file.writeFile(text)
      if (durable) await file.sync()
    } finally {
      await file.close()
    }
    if (replace) await rename(unfinished, path)
    else await link(unfinished, path)
    if (durable) await syncPath(dirname(path))
    return true
  } catch (error) {
    if (!replace && systemCode(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(unfinished, { force: true })
  }
}
