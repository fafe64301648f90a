import { constants } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { fileError } from '../qemu/file-error.js'
import type { Disk } from '../qemu/machine/launch-options.js'
import { changeBackingPath } from '../qemu/qemu-img/rebase.js'
import { copyImage } from './copy-image.js'
import { backingOf, keptPath } from './keep-disk.js'

/**
 * Copies a disk's file, for a machine that will write to it. The copy stands on what the file does.
 *
 * @param directory - of the machine's disks
 * @returns the copy; a read-only disk is shared
 * @throws VmStatesError `IMAGE_MISSING`, `IMAGE_DAMAGED`, `DISK_FULL`, `ACCESS_DENIED`
 */
export async function copyDisk(disk: Disk, directory: string): Promise<Disk> {
  if (disk.readOnly) return disk
  const file = keptPath(disk, directory)
  if (disk.role === 'tpm') return await copyPlain(disk, file)
  const backing = await backingOf(disk.file)
  await copyImage(disk.file, file)
  if (backing !== undefined) await changeBackingPath(file, backing)
  return { ...disk, file }
}

/** Copies a file that is no image. */
export async function copyPlain(disk: Disk, file: string): Promise<Disk> {
  await copyFile(disk.file, file, constants.COPYFILE_EXCL).catch((error: unknown) => {
    throw fileError(error, disk.file)
  })
  return { ...disk, file }
}
