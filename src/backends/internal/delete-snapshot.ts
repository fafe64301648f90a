import { deleteSnapshotById } from '../../qemu/block/delete-snapshot-by-id.js'
import { info } from '../../qemu/qemu-img/info.js'
import { snapshotDelete } from '../../qemu/qemu-img/snapshots.js'

/**
 * Deletes exactly one snapshot, also where others have its tag, or its tag ends in blanks that a
 * listing does not show.
 *
 * @param file - absolute path
 * @param id - the snapshot's ID; one that is gone already is not missed
 */
export async function deleteSnapshot(file: string, id: string): Promise<void> {
  const { snapshots = [] } = await info(file, 'qcow2')
  const snapshot = snapshots.find((candidate) => candidate.id === id)
  if (snapshot === undefined) return
  const { name } = snapshot
  const first = snapshots.find((candidate) => candidate.name === name)
  if (first === snapshot) await snapshotDelete(file, name)
  else await deleteSnapshotById(file, { id, name })
}
