import { lstat, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { fileError } from '../../qemu/file-error.js'
import { systemCode, unlessMissing } from '../../store/files/storage-error.js'
import { writeAtomically } from '../../store/files/write-atomically.js'

/** A directory is in the place of the file, or a file in that of a directory. */
const NO_PLACE = ['EISDIR', 'ENOTDIR', 'EEXIST']

/**
 * Writes a picture, replacing the one that is there. What is no plain file, such as a link or
 * `/dev/stdout`, is written to instead.
 *
 * @param file - absolute path; the directories above it are made
 * @throws VmStatesError `USAGE` where no file can be, `ACCESS_DENIED`, `DISK_FULL`
 */
export async function writePicture(file: string, picture: string): Promise<void> {
  try {
    const there = await unlessMissing(lstat(file))
    if (there !== undefined && !there.isFile()) return await writeFile(file, picture)
    await mkdir(dirname(file), { recursive: true })
    await writeAtomically(file, picture, { replace: true, durable: false, mode: 0o666 })
  } catch (error) {
    if (!NO_PLACE.includes(systemCode(error) ?? '')) throw fileError(error, file)
    throw new VmStatesError('USAGE', `--output: ${file} is no place for a file`, { cause: error })
  }
}
