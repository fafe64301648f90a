import { constants } from 'node:fs'
import { access, copyFile, rename, rm } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { fileError } from '../qemu/file-error.js'
import type { Disk } from '../qemu/machine/launch-options.js'
import { readQcow2Header } from '../qemu/qcow2/header.js'
import { changeBackingPath } from '../qemu/qemu-img/rebase.js'

/** Where a disk's file goes in the directory of a state. */
export function keptPath({ name, role }: Pick<Disk, 'name' | 'role'>, directory: string): string {
  return join(directory, role === 'tpm' ? name : `${name}.qcow2`)
}

/**
 * Moves a disk's file into the directory of a state. A backing file in the same tree is referred to
 * by a relative path, any other by an absolute one.
 *
 * @returns the disk in its new place; a read-only one stays where it is
 */
export async function keepDisk(
  disk: Disk,
  directory: string,
  tree: string = dirname(directory),
): Promise<Disk> {
  if (disk.readOnly) return disk
  const backing = disk.role === 'tpm' ? undefined : await backingOf(disk.file)
  // QEMU may have it open under a name that is gone: nobody could open what stands on it.
  if (backing !== undefined) await access(backing.file).catch((error) => fail(error, backing.file))
  const file = keptPath(disk, directory)
  await move(disk.file, file)
  if (backing !== undefined) {
    const isInTree = backing.file.startsWith(join(tree, '/'))
    const path = isInTree ? relative(directory, backing.file) : backing.file
    await changeBackingPath(file, { ...backing, file: path })
  }
  return { ...disk, file }
}

/** What an overlay stands on, by its absolute path. */
export async function backingOf(
  file: string,
): Promise<{ file: string; format: 'qcow2' | 'raw' } | undefined> {
  const { backingFile, backingFormat } = await readQcow2Header(file)
  if (backingFile === undefined) return undefined
  const format = backingFormat === 'raw' ? 'raw' : 'qcow2'
  return { file: resolve(dirname(file), backingFile), format }
}

function fail(error: unknown, file: string): never {
  throw fileError(error, file)
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw fileError(error, from)
    await copyFile(from, to, constants.COPYFILE_FICLONE).catch((cause) => {
      throw fileError(cause, to)
    })
    await rm(from)
  }
}
