import { copyFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileError } from '../../qemu/file-error.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { readQcow2Header } from '../../qemu/qcow2/header.js'
import { changeBackingPath } from '../../qemu/qemu-img/rebase.js'

/** Where a disk's file goes in the directory of a state. */
export function keptPath({ name }: Pick<Disk, 'name'>, directory: string): string {
  return join(directory, `${name}.qcow2`)
}

/**
 * Moves a disk's file into the directory of a state. Its backing file is referred to by a relative
 * path if it is in a sibling of that directory, else by an absolute one.
 *
 * @returns the disk in its new place; a read-only one stays where it is
 */
export async function keepDisk(disk: Disk, directory: string): Promise<Disk> {
  if (disk.readOnly) return disk
  const file = keptPath(disk, directory)
  const backing = await backingOf(disk.file)
  await move(disk.file, file)
  if (backing !== undefined) {
    const isSibling = dirname(dirname(backing.file)) === dirname(directory)
    const path = isSibling ? relative(directory, backing.file) : backing.file
    await changeBackingPath(file, { file: path, format: backing.format })
  }
  return { ...disk, file }
}

/** The file that an overlay stands on, by its absolute path. */
export async function backingOf(
  file: string,
): Promise<{ file: string; format: 'qcow2' | 'raw' } | undefined> {
  const { backingFile, backingFormat } = await readQcow2Header(file)
  if (backingFile === undefined) return undefined
  const format = backingFormat === 'raw' ? 'raw' : 'qcow2'
  return { file: resolve(dirname(file), backingFile), format }
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw fileError(error, from)
    await copyFile(from, to).catch((cause) => {
      throw fileError(cause, basename(to))
    })
    await rm(from)
  }
}
