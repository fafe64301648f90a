import { open } from 'node:fs/promises'
import { fileError } from '../file-error.js'

const MAX_PATH_LENGTH = 1023

/**
 * Writes another path of the backing file into the header of a qcow2 image. It is the last thing in the
 * header, so that there is room for a longer one. See QEMU's docs/interop/qcow2.txt.
 *
 * @param head - the image from its first byte on; of the first cluster, as much as is there
 * @returns whether there was room; nothing is changed otherwise
 */
export function setBackingPath(head: Buffer, path: string): boolean {
  const text = Buffer.from(path)
  const start = Number(head.readBigUInt64BE(8))
  const oldEnd = start + head.readUInt32BE(16)
  const end = start + text.length
  const cluster = Math.min(2 ** head.readUInt32BE(20), head.length)
  if (start === 0 || end > cluster || text.length > MAX_PATH_LENGTH) return false
  if (head.subarray(oldEnd, end).some((byte) => byte !== 0)) return false
  head.fill(0, start, oldEnd)
  text.copy(head, start)
  head.writeUInt32BE(text.length, 16)
  return true
}

/**
 * As {@link setBackingPath}, of a file that no QEMU has open.
 *
 * @throws VmStatesError `IMAGE_MISSING`, `DISK_FULL`, `ACCESS_DENIED`
 */
export async function writeBackingPath(file: string, path: string): Promise<boolean> {
  try {
    await using handle = await open(file, 'r+')
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(65536), 0, 65536, 0)
    const head = buffer.subarray(0, bytesRead)
    if (!setBackingPath(head, path)) return false
    await handle.write(head, 0, head.length, 0)
    return true
  } catch (error) {
    throw fileError(error, file)
  }
}
