import { writeBackingPath } from '../qcow2/backing-path.js'
import { readQcow2Header } from '../qcow2/header.js'
import { plainPath } from './address.js'
import { type QemuImgOptions, runQemuImg } from './run.js'

/**
 * Puts an overlay on another backing file. What differs between the two is copied into the overlay
 * first, so that its guest sees no change; an overlay without a backing file is whole by itself.
 *
 * @param file - absolute path
 * @param backing - absolute, or relative to the overlay's folder; undefined for none
 */
export async function rebase(
  file: string,
  backing: { file: string; format: 'qcow2' | 'raw' } | undefined,
  { timeout = 3_600_000, signal }: QemuImgOptions = {},
): Promise<void> {
  const onto =
    backing === undefined ? ['-b', ''] : ['-F', backing.format, '-b', plainPath(backing.file)]
  await runQemuImg(['rebase', '-q', '-f', 'qcow2', ...onto, file], file, { timeout, signal })
}

/**
 * Writes another path to the backing file into an overlay, and nothing else: for a backing file
 * that was moved, or whose path should be written in another way. No QEMU may have the overlay open.
 *
 * @param file - absolute path
 * @param backing - the same content at a path that is absolute, or relative to the overlay's folder
 */
export async function changeBackingPath(
  file: string,
  backing: { file: string; format: 'qcow2' | 'raw' },
  options?: QemuImgOptions,
): Promise<void> {
  const path = plainPath(backing.file)
  const { backingFormat } = await readQcow2Header(file)
  // The start of qemu-img takes longer than all else that a set does to a disk.
  if (backingFormat === backing.format && (await writeBackingPath(file, path))) return
  const args = ['-q', '-u', '-f', 'qcow2', '-F', backing.format, '-b', path, file]
  await runQemuImg(['rebase', ...args], file, options)
}
