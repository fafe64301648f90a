import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { unlessMissing } from '../../store/files/storage-error.js'

/** Of the disk, what a store may have. */
const SHARE = 0.1

/** Of the disk, what a store leaves free when others fill it. */
const RESERVE = 0.05

/** Bytes that a store may have all the same, so that a full disk does not make every run build anew. */
const LEAST = 2 ** 30

/**
 * What a store may have where nobody says: a tenth of its disk, less where that is nearly full.
 *
 * @param root - the directory of the store, which may not be there yet
 * @param size - bytes that the store has now
 * @returns bytes
 */
export async function defaultMaxSize(root: string, size: number): Promise<number> {
  const disk = await unlessMissing(statfs(root))
  if (disk === undefined) return await defaultMaxSize(dirname(root), size)
  const { bsize, blocks, bavail } = disk
  const total = blocks * bsize
  const room = size + bavail * bsize - total * RESERVE
  return Math.max(Math.floor(Math.min(total * SHARE, room)), LEAST)
}
