import { open } from 'node:fs/promises'
import { fileError } from '../file-error.js'

/**
 * Whether an image holds anything of its own: data, or snapshots. One that does not shows exactly
 * what its backing file holds.
 *
 * @param file - a qcow2 image whose header was read before
 */
export async function hasOwnData(file: string): Promise<boolean> {
  try {
    await using handle = await open(file)
    const { buffer: header } = await handle.read(Buffer.alloc(72), 0, 72, 0)
    if (header.readUInt32BE(60) > 0) return true
    const length = header.readUInt32BE(36) * 8
    const table = await handle.read(
      Buffer.alloc(length),
      0,
      length,
      Number(header.readBigUInt64BE(40)),
    )
    return table.buffer.some((byte) => byte !== 0)
  } catch (error) {
    throw fileError(error, file)
  }
}
