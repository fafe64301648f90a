import { withImagesLocked } from '../image/lock.js'
import { requireImages } from '../image/require-images.js'
import { stateMissing } from '../image/state-missing.js'
import type { ImageTarget, OperationOptions } from '../image-backend.js'
import { deleteSnapshot } from '../internal/delete-snapshot.js'
import { readTables } from '../internal/table.js'
import { findLiveState, pendingTag } from './live-state.js'
import { runningDisks } from './running-disks.js'
import { deleteWhereFound } from './set.js'
import { snapshotTables } from './tables.js'

/**
 * See `ImageBackend.unset`. Nothing stands on a live state. Works with and without a machine.
 *
 * @throws VmStatesError `STATE_MISSING`, `DISK_NOT_IN_MACHINE`
 */
export async function unsetLive(
  target: ImageTarget,
  name: string,
  options?: OperationOptions,
): Promise<void> {
  const files = target.disks.map(({ file }) => file)
  await withImagesLocked(files, async () => {
    if (findLiveState(await snapshotTables(target, options), name) === undefined) {
      throw stateMissing(target.disks, name)
    }
    // The pending one first: it must not come forward when the state is gone.
    for (const tag of [pendingTag(name), name]) {
      if (target.process === undefined) await deleteFromFiles(target, tag, options)
      else await deleteFromMachine(target.process.qmp, target, tag)
    }
  })
}

async function deleteFromMachine(
  monitor: Parameters<typeof deleteWhereFound>[0],
  { disks }: ImageTarget,
  tag: string,
): Promise<void> {
  const nodes = (await runningDisks(monitor, disks)).map(({ node }) => node)
  await deleteWhereFound(monitor, nodes, tag)
}

async function deleteFromFiles(
  target: ImageTarget,
  tag: string,
  options?: OperationOptions,
): Promise<void> {
  for (const { file, snapshots } of await readTables(await requireImages(target), options)) {
    for (const snapshot of snapshots) {
      if (snapshot.tag === tag) await deleteSnapshot(file, snapshot.id)
    }
  }
}
