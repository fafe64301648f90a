import type { Disk } from '../../qemu/machine/launch-options.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { changeBackingPath } from '../../qemu/qemu-img/rebase.js'
import type { PreparedMachine, Purpose, StateFiles } from '../backend.js'
import { backingOf, keptPath } from '../keep-disk.js'
import { copyImage } from './copy-image.js'
import { snapshotOf } from './disk-snapshot.js'
import { deleteSnapshot, loadSnapshot } from './snapshot.js'

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
  const snapshot = snapshotOf(disks)
  const load = async ({ qmp }: MachineProcess) => loadSnapshot(qmp, snapshot)

  if (purpose === 'build') {
    return {
      disks,
      launch: { paused: true },
      // A child does not go back to here: without its parent's RAM its files do not grow.
      async start(process) {
        await load(process)
        await deleteSnapshot(process.qmp, snapshot)
        await process.qmp.execute('cont')
      },
    }
  }
  return {
    disks,
    launch: { paused: true },
    async start(process) {
      await load(process)
      await process.qmp.execute('cont')
    },
    async rewind(process) {
      await load(process)
      await goOn(process)
    },
  }
}

/** After a load, a guest that ran before runs again; one that a test has paused does not. */
async function goOn({ qmp }: MachineProcess): Promise<void> {
  const { running } = (await qmp.execute('query-status')) as { running: boolean }
  if (!running) await qmp.execute('cont')
}

async function copyDisk(disk: Disk, directory: string): Promise<Disk> {
  if (disk.readOnly) return disk
  const file = keptPath(disk, directory)
  const backing = await backingOf(disk.file)
  await copyImage(disk.file, file)
  if (backing !== undefined) await changeBackingPath(file, backing)
  return { ...disk, file }
}
