import { requireImages } from '../image/require-images.js'
import type { ImageTarget, OperationOptions } from '../image-backend.js'
import { readTables } from '../internal/table.js'
import type { BlockDevice } from './block-devices.js'
import type { SnapshotRow } from './live-state.js'
import { runningDisks } from './running-disks.js'

/** The snapshots of each disk: as a running machine tells them, else as the files show them. */
export async function snapshotTables(
  target: ImageTarget,
  options?: OperationOptions,
): Promise<SnapshotRow[][]> {
  if (target.process !== undefined) {
    return (await runningDisks(target.process.qmp, target.disks)).map(rowsOf)
  }
  const tables = await readTables(await requireImages(target), options)
  return tables.map(({ snapshots }) => [...snapshots])
}

/** The snapshots of a disk of a running machine. */
export function rowsOf({ snapshots }: BlockDevice): SnapshotRow[] {
  return snapshots.map((snapshot) => ({
    id: snapshot.id,
    tag: snapshot.name,
    vmStateSize: snapshot['vm-state-size'],
    date: new Date(snapshot['date-sec'] * 1000),
  }))
}
