import type { Disk } from '../../qemu/machine/launch-options.js'
import { snapshotApply, snapshotCreate, snapshotDelete } from '../../qemu/qemu-img/snapshots.js'
import type { GraphBackend, PreparedMachine, Purpose, StateFiles } from '../backend.js'
import { captureDisks } from '../capture-disks.js'
import { copyDisk } from '../copy-disk.js'

/** The tag of the one snapshot that each file of a state holds; no ID, since those are numbers. */
const TAG = 'state'

/**
 * Disk states as internal snapshots. A machine gets a copy of each file, at the snapshot: whatever
 * is done to the file's current content, the state is what was captured.
 */
export const internalBackend: GraphBackend = {
  liveness: 'disk',
  prepare,
  async capture(machine, directory, tree) {
    const disks = await captureDisks(machine, directory, tree, (file) => snapshotCreate(file, TAG))
    return { liveness: 'disk', backend: 'internal', disks }
  },
}

async function prepare(
  { disks }: StateFiles,
  purpose: Purpose,
  directory: string,
): Promise<PreparedMachine> {
  return {
    disks: await Promise.all(disks.map((disk) => copyAt(disk, purpose, directory))),
    launch: {},
    // The guest boots once it is resumed.
    load: async () => {},
  }
}

async function copyAt(disk: Disk, purpose: Purpose, directory: string): Promise<Disk> {
  const copy = await copyDisk(disk, directory)
  if (disk.readOnly || disk.role === 'tpm') return copy
  await snapshotApply(copy.file, TAG)
  // A child has a state of its own; with its parent's as well, its files would only grow.
  if (purpose !== 'test') await snapshotDelete(copy.file, TAG)
  return copy
}
