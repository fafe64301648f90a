import { snapshotApply, snapshotCreate } from '../../qemu/qemu-img/snapshots.js'
import type { Image } from '../image/require-images.js'
import { deleteSnapshot } from './delete-snapshot.js'
import { readTables, type SnapshotTable } from './table.js'
import { isUndoTag, undoTag } from './undo.js'

/**
 * Changes the current content of all of several disks, or of none: each gets a snapshot of what is
 * current first, and goes back to it if `work` fails, or by {@link recover} if the process dies.
 */
export async function orUndo(images: readonly Image[], work: () => Promise<void>): Promise<void> {
  const tag = undoTag(images.length)
  try {
    for (const { file } of images) await snapshotCreate(file, tag)
    await work()
  } catch (error) {
    await recover(images, await readTables(images))
    throw error
  }
  await dropUndo(images, await readTables(images))
}

/**
 * Undoes what a killed operation on several disks left half done. All disks hold its undo snapshot
 * from before the first was changed until after the last was: then each goes back to it. Where some
 * do not, none was changed, or all were.
 *
 * @returns the tables as they are afterwards
 */
export async function recover(
  images: readonly Image[],
  tables: SnapshotTable[],
): Promise<SnapshotTable[]> {
  const left = tables.map(({ snapshots }) =>
    snapshots.find(({ tag }) => isUndoTag(tag, images.length)),
  )
  if (left.every((snapshot) => snapshot === undefined)) return tables
  if (left.every((snapshot) => snapshot !== undefined && snapshot.tag === left[0]?.tag)) {
    for (const [index, { file }] of images.entries()) {
      await snapshotApply(file, left[index]?.id ?? '')
    }
  }
  await dropUndo(images, tables)
  return readTables(images)
}

async function dropUndo(images: readonly Image[], tables: readonly SnapshotTable[]): Promise<void> {
  for (const { file, snapshots } of tables) {
    for (const { id, tag } of snapshots) {
      if (isUndoTag(tag, images.length)) await deleteSnapshot(file, id)
    }
  }
}
