import { open } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { readQcow2Header } from '../../qemu/qcow2/header.js'
import { createOverlay } from '../../qemu/qemu-img/create.js'
import { type DiskOpener, withOpenedDisk } from './open-disk.js'
import { placeFiles, refuseTaken } from './place-files.js'
import { PACK } from './scripts.js'

/** What is added to room for an archive, besides that for each byte of the disk. */
const MARGIN = 64 * 2 ** 20

/**
 * Copies files and directories out of the root filesystem of a disk, which is not written to. They belong to
 * whoever runs this, with the permissions that they have there. (Lago's `VM.extract_paths`)
 *
 * @param name - of the disk, for errors
 * @param paths - absolute paths there; a link is copied as a link
 * @param to - the directory that they go to, by their last names
 * @returns where they are
 * @throws VmStatesError `GUEST_FILE_FAILED` naming each path that is not there; `OUTPUT_EXISTS`;
 *   `INVALID_VALUE`; `IMAGE_UNSUPPORTED`; nothing is in the directory then
 */
export async function extractFiles(
  name: string,
  disk: Disk,
  paths: readonly string[],
  to: string,
  opener: DiskOpener,
): Promise<string[]> {
  const wanted = paths.map((path) => diskPath(path))
  refuseNested(wanted)
  await refuseTaken(wanted, to)
  const { directory, store, signal } = opener
  const [overlay, archive] = [join(directory, 'disk.qcow2'), join(directory, 'archive.tar')]
  await createOverlay(overlay, disk, { signal })
  await makeSparse(archive, (await readQcow2Header(overlay)).virtualSize * 2 + MARGIN)
  const written: Disk = { name: disk.name, file: overlay, format: 'qcow2' }
  await withOpenedDisk(name, written, { file: archive }, opener, ({ run }) => run(PACK, wanted))
  return await placeFiles({ archive, paths: wanted, to }, store, signal)
}

/**
 * A path on a disk, without what leads nowhere.
 *
 * @throws VmStatesError `INVALID_VALUE`
 */
export function diskPath(path: string): string {
  const normal = posix.normalize(path).replace(/(.)\/$/, '$1')
  if (path.startsWith('/') && normal !== '/' && !path.includes('\0')) return normal
  const right = 'a path on a disk is absolute, and not the root directory'
  throw new VmStatesError('INVALID_VALUE', `the path is ${showValue(path)}: ${right}`)
}

/** @throws VmStatesError `INVALID_VALUE` */
function refuseNested(paths: readonly string[]): void {
  for (const path of paths) {
    const outer = paths.find((other) => path.startsWith(`${other}/`))
    if (outer === undefined) continue
    throw new VmStatesError('INVALID_VALUE', `${path} is a part of ${outer}: name one of them`)
  }
}

async function makeSparse(file: string, size: number): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.truncate(Math.ceil(size / 512) * 512)
}
