import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { VmStatesError } from '../params/errors.js'
import { fileError } from '../qemu/file-error.js'
import { readQcow2Header } from '../qemu/qcow2/header.js'

const QCOW2_MAGIC = 'QFI\xfb'

/** Names that say that a file is raw, unless it starts as qcow2 (cloud images end in `.img`). */
const RAW_EXTENSIONS = ['.raw', '.img', '.iso']

/** Whether a file starts as a qcow2 image does, whatever follows. */
export async function hasQcow2Magic(file: string): Promise<boolean> {
  try {
    // Without blocking: a named pipe would wait for somebody who writes to it.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const status = await handle.stat()
      if (!status.isFile() && !status.isBlockDevice()) {
        throw new VmStatesError('IMAGE_UNSUPPORTED', `${file} is not a file`)
      }
      const { buffer } = await handle.read(Buffer.alloc(QCOW2_MAGIC.length), 0, 4, 0)
      return buffer.toString('latin1') === QCOW2_MAGIC
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw fileError(error, file)
  }
}

async function requireContent(file: string): Promise<void> {
  const status = await stat(file).catch((error) => {
    throw fileError(error, file)
  })
  if (!status.isFile()) throw new VmStatesError('IMAGE_UNSUPPORTED', `${file} is not a file`)
  if (status.size === 0) throw new VmStatesError('IMAGE_DAMAGED', `${file} is empty`)
}

/**
 * Decides which format an image has. Nothing is raw unless somebody says so, by word or by the
 * file's name: taken for raw, a qcow2 image would be a disk without sense, and the other way round
 * a guest could write a header that makes the next start read any file of the host.
 *
 * @param file - absolute path
 * @param name - what the file was called by its user: a path, or the path of a URL
 * @param told - the format that the user gave
 * @throws VmStatesError `IMAGE_FORMAT_UNCLEAR`, `IMAGE_UNSUPPORTED` for what is not a file, and what {@link readQcow2Header} throws
 */
export async function imageFormat(
  file: string,
  name: string,
  told?: 'qcow2' | 'raw',
): Promise<'qcow2' | 'raw'> {
  await requireContent(file)
  const extension = extname(name).toLowerCase()
  const isQcow2 = await hasQcow2Magic(file)
  if (told === 'raw' || (told === undefined && extension === '.raw')) {
    if (!isQcow2) return 'raw'
    throw new VmStatesError('IMAGE_FORMAT_UNCLEAR', `${name} is to be raw, but starts as qcow2`, {
      hint: "If it is qcow2, say so with format: 'qcow2'.",
    })
  }
  if (told === 'qcow2' || isQcow2) {
    await readQcow2Header(file)
    return 'qcow2'
  }
  if (RAW_EXTENSIONS.includes(extension)) return 'raw'
  throw new VmStatesError('IMAGE_FORMAT_UNCLEAR', `${name} is not a qcow2 image`, {
    hint: "If it is raw, say so with format: 'raw'; if it is another format, convert it first.",
  })
}
