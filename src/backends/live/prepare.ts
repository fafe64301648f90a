import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import type { QmpClient } from '../../qemu/qmp/client.js'
import type { PreparedMachine, Purpose, StateFiles } from '../backend.js'
import { copyDisk } from '../copy-disk.js'
import { snapshotOf } from './disk-snapshot.js'
import { deleteSnapshot, type LiveSnapshot } from './snapshot.js'

/** Milliseconds: gigabytes of RAM from a slow disk. */
const LOAD_TIMEOUT = 300_000

/**
 * Copies the files of a live state for one machine.
 *
 * @param directory - existing and empty
 * @throws VmStatesError `IMAGE_MISSING`, `IMAGE_DAMAGED`, `DISK_FULL`, `ACCESS_DENIED`
 */
export async function prepareLive(
  state: StateFiles,
  purpose: Purpose,
  directory: string,
): Promise<PreparedMachine> {
  const disks = await Promise.all(state.disks.map((disk) => copyDisk(disk, directory)))
  if (purpose !== 'test') {
    return {
      disks,
      launch: {},
      // A child does not go back to here: without its parent's RAM its files do not grow.
      async load({ qmp }) {
        const snapshot = snapshotOf(disks)
        await load(qmp, snapshot)
        await deleteSnapshot(qmp, snapshot)
      },
    }
  }
  const restore = ({ qmp }: MachineProcess) => load(qmp, snapshotOf(disks))
  return { disks, launch: {}, load: restore, rewind: restore }
}

/**
 * By the human monitor: QEMU 7.2 takes 5 to 10 ms longer for the same load as a job. See
 * docs/decisions/035-loadvm.md. A guest that ran before goes on by itself.
 */
async function load(qmp: QmpClient, { tag }: LiveSnapshot): Promise<void> {
  await qmp.humanMonitor(`loadvm ${tag}`, { timeout: LOAD_TIMEOUT })
}
