import { rm } from 'node:fs/promises'
import { VmStatesError } from '../../params/errors.js'
import { withDeadline } from '../../qemu/deadline.js'
import { describeExit } from '../../qemu/machine/exit-status.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import type { CapturableMachine, StateFiles } from '../backend.js'
import { keepDisk, keptPath } from '../keep-disk.js'
import { requireSavable } from './blockers.js'
import { snapshotOf, writableDisks } from './disk-snapshot.js'
import { saveSnapshot } from './snapshot.js'

/** Milliseconds until QEMU has written out its metadata and is gone. */
const QUIT_TIMEOUT = 60_000

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
    await saveSnapshot(process.qmp, snapshot)
    await quit(process)
    const kept: Disk[] = []
    for (const disk of disks) kept.push(await keepDisk(disk, directory, tree))
    return { liveness: 'live', backend: 'live', disks: kept }
  } catch (error) {
    const files = writableDisks(disks).map((disk) => keptPath(disk, directory))
    await Promise.all(files.map((file) => rm(file, { force: true })))
    throw error
  } finally {
    await process.close()
  }
}

/** Only a QEMU that ended in good order has left complete images behind. */
async function quit(process: MachineProcess): Promise<void> {
  process.qmp.execute('quit').catch(() => {})
  const status = await withDeadline(process.exited, `the end of ${process.options.name}`, {
    timeout: QUIT_TIMEOUT,
  })
  if (status.code === 0 && status.shutdownReason === 'host-qmp-quit') return
  throw new VmStatesError(
    'QEMU_EXITED',
    `QEMU of ${process.options.name} did not end in good order: ${describeExit(status)}`,
  )
}
