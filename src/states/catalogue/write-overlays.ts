import { link, lstat, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { withImagesLocked } from '../../backends/image/lock.js'
import { VmStatesError } from '../../params/errors.js'

/** An overlay to be made. */
export interface NewOverlay {
  /** Absolute path, where nothing is yet. */
  file: string
  /** Makes it, at another path in the same directory. */
  create(path: string): Promise<unknown>
}

/**
 * Makes overlays, all of them or none: each beside its place, and then linked into it, so that a file
 * that is there stays. The names beside go last, and tell the next call what a killed one has left.
 *
 * @param pin - keeps what they stand on for as long as there are files of these names
 * @throws VmStatesError `OUTPUT_EXISTS`; `IMAGE_IN_USE` while another command writes there
 */
export async function writeOverlays(
  overlays: readonly NewOverlay[],
  pin: () => Promise<unknown>,
): Promise<void> {
  const files = overlays.map(({ file }) => file)
  await withImagesLocked(files, async () => {
    await takeAwayLeft(files)
    for (const file of files) await refuseExisting(file)
    // Not on files of others, and twice: before there is a file, a pin may be reaped; after, come too late.
    await pin()
    const named: string[] = []
    try {
      for (const { file, create } of overlays) await create(unfinished(file))
      // The first is the one that people look for.
      for (const file of files.toReversed()) {
        await link(unfinished(file), file).catch((error: NodeJS.ErrnoException) => {
          throw error.code === 'EEXIST' ? outputExists(file) : error
        })
        named.push(file)
      }
      await pin()
    } catch (error) {
      for (const file of named) await rm(file, { force: true })
      throw error
    } finally {
      await removeUnfinished(files)
    }
  })
}

/** @throws VmStatesError `OUTPUT_EXISTS` */
export async function refuseExisting(file: string): Promise<void> {
  if ((await inodeOf(file)) !== undefined) throw outputExists(file)
}

/** What a killed call has named, if it did not come to name all. */
async function takeAwayLeft(files: readonly string[]): Promise<void> {
  const inodes = await Promise.all(files.map(inodeOf))
  if (inodes.includes(undefined)) {
    for (const [index, file] of files.entries()) {
      const inode = inodes[index]
      if (inode !== undefined && inode === (await inodeOf(unfinished(file)))) await rm(file)
    }
  }
  await removeUnfinished(files)
}

async function removeUnfinished(files: readonly string[]): Promise<void> {
  await Promise.all(files.map((file) => rm(unfinished(file), { force: true })))
}

function unfinished(file: string): string {
  return join(dirname(file), `.${basename(file)}.unfinished`)
}

async function inodeOf(file: string): Promise<string | undefined> {
  return await lstat(file).then(
    ({ dev, ino }) => `${dev} ${ino}`,
    () => undefined,
  )
}

function outputExists(file: string): VmStatesError {
  return new VmStatesError('OUTPUT_EXISTS', `${file} exists already`, {
    hint: 'Choose another path, or delete it.',
  })
}
