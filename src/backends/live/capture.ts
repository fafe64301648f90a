import { rm } from 'node:fs/promises'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { includeSharedRam } from '../../qemu/migration/device-state.js'
import type { CapturableMachine, StateFiles } from '../backend.js'
import { keepDisk, keptPath } from '../keep-disk.js'
import { quit } from '../quit.js'
import { requireSavable } from './blockers.js'
import { snapshotOf } from './disk-snapshot.js'
import { saveSnapshot } from './snapshot.js'

/**
 * Keeps a running machine - disks, RAM and devices - as files, and ends it.
 *
 * @param directory - existing and empty; nothing is left in it if this fails
 * @param tree - the directory that it and what the disks stand on are in; by default, its own
 * @throws VmStatesError `SAVE_BLOCKED`, `QMP_COMMAND_FAILED`, `QEMU_EXITED`, `DISK_FULL`
 */
export async function captureLive(
  { disks, process }: CapturableMachine,
  directory: string,
  tree?: string,
): Promise<StateFiles> {
  try {
    const snapshot = snapshotOf(disks)
    await requireSavable(process.qmp, snapshot.nodes, process.options.name)
    await process.qmp.execute('stop')
    await includeSharedRam(process.qmp)
    await saveSnapshot(process.qmp, snapshot)
    await quit(process)
    const kept: Disk[] = []
    for (const disk of disks) kept.push(await keepDisk(disk, directory, tree))
    return { liveness: 'live', backend: 'live', disks: kept }
  } catch (error) {
    const files = disks.filter(({ readOnly }) => !readOnly).map((disk) => keptPath(disk, directory))
    await Promise.all(files.map((file) => rm(file, { force: true })))
    throw error
  } finally {
    await process.close()
  }
}
