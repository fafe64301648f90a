import type { Liveness } from '../../params/liveness.js'
import { snapshotList } from '../../qemu/qemu-img/snapshots.js'
import type { Snapshot } from '../../qemu/snapshot-list/snapshot.js'
import type { Image } from '../image/require-images.js'
import type { OperationOptions } from '../image-backend.js'
import { isUndoTag } from './undo.js'

/** An image and the snapshots in it, oldest first. */
export interface SnapshotTable extends Image {
  snapshots: readonly Snapshot[]
}

/** A tag that every disk has. */
export interface SnapshotState {
  tag: string
  /** Live if a disk holds RAM and device state under the tag: savevm writes them to one disk. */
  liveness: Liveness
  /** The state's snapshot on each disk, in the order of the tables. */
  snapshots: readonly Snapshot[]
}

/** Reads the snapshots of every image. They may be in use. */
export function readTables(
  images: readonly Image[],
  options?: OperationOptions,
): Promise<SnapshotTable[]> {
  return Promise.all(
    images.map(async (image) => ({
      ...image,
      snapshots: await snapshotList(image.file, options),
    })),
  )
}

/** What a listing can tell of a tag. */
function listedTag(tag: string): string {
  return tag.replace(/ +$/, '')
}

/** The snapshots that have a tag. */
export function withTag({ snapshots }: SnapshotTable, tag: string): Snapshot[] {
  return snapshots.filter((snapshot) => snapshot.tag === listedTag(tag))
}

/**
 * The state that a tag stands for.
 *
 * While a state is replaced, the new snapshot is on each disk behind the old one, until the old one
 * of the first disk is deleted: from then on the new ones are the state. So a disk with two counts
 * as having the first, unless the first disk has just one.
 *
 * @returns undefined if a disk has no such tag
 */
export function findState(
  tables: readonly SnapshotTable[],
  tag: string,
): SnapshotState | undefined {
  const found = tables.map((table) => withTag(table, tag))
  const replaced = found[0]?.length === 1
  const snapshots = found.flatMap(
    (candidates) => (replaced ? candidates.at(-1) : candidates[0]) ?? [],
  )
  if (snapshots.length < tables.length) return undefined
  const live = snapshots.some(({ vmStateSize }) => vmStateSize > 0)
  return { tag: listedTag(tag), liveness: live ? 'live' : 'disk', snapshots }
}

/** Every state, oldest first. */
export function findStates(tables: readonly SnapshotTable[]): SnapshotState[] {
  const tags = new Set(tables[0]?.snapshots.map(({ tag }) => tag))
  return [...tags].filter((tag) => !isUndoTag(tag)).flatMap((tag) => findState(tables, tag) ?? [])
}
