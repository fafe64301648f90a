import { lstat, mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { basename, join, posix } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { showValue } from '../../params/parse.js'
import { fileError } from '../../qemu/file-error.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { readQcow2Header } from '../../qemu/qcow2/header.js'
import { createOverlay } from '../../qemu/qemu-img/create.js'
import { runTool } from '../run-tool.js'
import { type DiskOpener, withOpenedDisk } from './open-disk.js'
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
  const targets = wanted.map((path) => join(to, basename(path)))
  await refuseTaken(targets)
  const { directory, signal } = opener
  const [overlay, archive] = [join(directory, 'disk.qcow2'), join(directory, 'archive.tar')]
  await createOverlay(overlay, disk, { signal })
  await makeSparse(archive, (await readQcow2Header(overlay)).virtualSize * 2 + MARGIN)
  const written: Disk = { name: disk.name, file: overlay, format: 'qcow2' }
  await withOpenedDisk(name, written, { file: archive }, opener, ({ run }) => run(PACK, wanted))
  await mkdir(to, { recursive: true }).catch((error: unknown) => {
    throw fileError(error, to)
  })
  const unfinished = await mkdtemp(join(to, '.extract-')).catch((error: unknown) => {
    throw fileError(error, to)
  })
  try {
    const args = ['-xf', archive, '-C', unfinished, '--no-same-owner', '--preserve-permissions']
    await runTool('tar', args, { signal })
    for (const [index, path] of wanted.entries()) {
      await rename(join(unfinished, path), targets[index] as string)
    }
  } finally {
    await removeTree(unfinished)
  }
  return targets
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

async function refuseTaken(targets: readonly string[]): Promise<void> {
  const double = targets.find((target, index) => targets.indexOf(target) !== index)
  if (double !== undefined) {
    throw new VmStatesError('OUTPUT_EXISTS', `two of the paths would both go to ${double}`)
  }
  for (const target of targets) {
    const stats = await lstat(target).catch(() => undefined)
    if (stats === undefined) continue
    throw new VmStatesError('OUTPUT_EXISTS', `${target} exists already`, {
      hint: 'Choose another directory, or delete it.',
    })
  }
}

async function makeSparse(file: string, size: number): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.truncate(Math.ceil(size / 512) * 512)
}

/** Directories that were extracted may be closed to their owner. */
async function removeTree(directory: string): Promise<void> {
  await runTool('chmod', ['-R', 'u+rwx', '--', directory]).catch(() => {})
  await rm(directory, { recursive: true, force: true })
}
