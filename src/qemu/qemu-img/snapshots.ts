import { readQcow2Header } from '../qcow2/header.js'
import { parseSnapshotList } from '../snapshot-list/parse.js'
import type { Snapshot } from '../snapshot-list/snapshot.js'
import { withoutBacking } from './address.js'
import { type QemuImgOptions, runQemuImg } from './run.js'

/**
 * The internal snapshots of a qcow2 image, oldest first. The image may be in use.
 *
 * @param file - absolute path
 * @throws VmStatesError what {@link readQcow2Header} and `parseSnapshotList` throw
 */
export async function snapshotList(file: string, options?: QemuImgOptions): Promise<Snapshot[]> {
  const { snapshotCount } = await readQcow2Header(file)
  const text = await runQemuImg(['snapshot', '-l', '-U', withoutBacking(file)], file, options)
  try {
    return parseSnapshotList(text, snapshotCount)
  } catch (error) {
    // Someone may have changed the image between the two readings.
    if ((await readQcow2Header(file)).snapshotCount === snapshotCount) throw error
    return snapshotList(file, options)
  }
}

/**
 * Takes an internal snapshot of an image that nothing runs on. A tag that is there already gets a
 * second snapshot, behind the first.
 *
 * @param file - absolute path
 */
export async function snapshotCreate(
  file: string,
  tag: string,
  options?: QemuImgOptions,
): Promise<void> {
  await runQemuImg(['snapshot', '-q', '-c', tag, withoutBacking(file)], file, options)
}

/**
 * Makes a snapshot the image's current content; what was current is lost.
 *
 * @param file - absolute path
 * @param id - the snapshot's ID: QEMU looks for it before it looks for a tag of the same text, so
 *   an ID always means one snapshot, and a tag may not
 */
export async function snapshotApply(
  file: string,
  id: string,
  options?: QemuImgOptions,
): Promise<void> {
  await runQemuImg(['snapshot', '-q', '-a', id, withoutBacking(file)], file, options)
}

/**
 * Deletes the oldest snapshot with a tag. qemu-img knows no way to delete by ID.
 *
 * @param file - absolute path
 */
export async function snapshotDelete(
  file: string,
  tag: string,
  options?: QemuImgOptions,
): Promise<void> {
  await runQemuImg(['snapshot', '-q', '-d', tag, withoutBacking(file)], file, options)
}
