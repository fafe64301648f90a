import { lstat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { fileError } from '../../qemu/file-error.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { runTool } from '../run-tool.js'
import { diskPath } from './extract-files.js'
import { type DiskOpener, withOpenedDisk } from './open-disk.js'
import { UNPACK } from './scripts.js'

/**
 * Copies files and directories of the host into the root filesystem of a disk. They belong to root there, with
 * the permissions that they have here.
 *
 * @param name - of the disk, for errors
 * @param disk - is written to, and in any state after an error
 * @param sources - of the host; a link is copied as a link
 * @param to - absolute path on the disk: a directory that is there, or for one source also its new name in one
 * @throws VmStatesError `GUEST_FILE_FAILED` if there is no such directory; `INVALID_VALUE`, `ACCESS_DENIED`,
 *   `IMAGE_UNSUPPORTED`, `TOOL_FAILED` if the filesystem is full
 */
export async function injectFiles(
  name: string,
  disk: Disk,
  sources: readonly string[],
  to: string,
  opener: DiskOpener,
): Promise<void> {
  const target = to === '/' ? to : diskPath(to)
  const files = await Promise.all(sources.map(findSource))
  const names = files.map((file) => basename(file))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new VmStatesError('INVALID_VALUE', `two of the files would both be ${twice} in ${to}`)
  }
  const archive = join(opener.directory, 'archive.tar')
  const members = files.flatMap((file) => ['-C', dirname(file), `./${basename(file)}`])
  const owner = ['--owner=0', '--group=0', '--numeric-owner']
  await runTool('tar', ['-cf', archive, '--format=gnu', ...owner, ...members], {
    signal: opener.signal,
  })
  const only = files.length === 1 ? basename(files[0] as string) : ''
  const transfer = { file: archive, readOnly: true }
  await withOpenedDisk(name, disk, transfer, opener, ({ run }) => run(UNPACK, [target, only]))
}

async function findSource(source: string): Promise<string> {
  const file = resolve(source)
  await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw fileError(error, file)
    throw new VmStatesError('INVALID_VALUE', `there is no file ${file}`, { cause: error })
  })
  return file
}
