import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { saveDeviceState } from '../../qemu/migration/device-state.js'
import { partOf } from '../../qemu/migration/migration-uri.js'
import type { CapturableMachine, StateFiles } from '../backend.js'
import { keepDisk, keptPath } from '../keep-disk.js'
import { leaveBoot } from '../leave-boot.js'
import { quit } from '../quit.js'
import { saveDeviceSnapshot } from './device-snapshot.js'
import { requireForkable } from './forkable.js'

/** A machine that was captured, but for its RAM. */
export interface FrozenMachine {
  /** Its state, with RAM where the machine had it. */
  files: StateFiles
  /**
   * Puts the RAM beside the other files.
   *
   * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED`; nothing is left in the directory then
   */
  keep(): Promise<StateFiles>
}

/**
 * Keeps a running machine, and ends it: device state is written, the other files are moved. RAM that
 * is not in a file of the machine's own, as that of a test's, is written with the devices.
 *
 * @param directory - existing and empty; nothing is left in it if this fails
 * @param tree - the directory that it and what the disks stand on are in; by default, its own
 * @throws VmStatesError `SAVE_BLOCKED`, `QMP_COMMAND_FAILED`, `QEMU_EXITED`, `DISK_FULL`
 */
export async function captureFork(
  machine: CapturableMachine,
  directory: string,
  tree?: string,
): Promise<StateFiles> {
  try {
    await requireForkable(machine)
    await machine.process.qmp.execute('stop')
  } catch (error) {
    await machine.process.close()
    throw error
  }
  const frozen = await freezeFork(machine, directory, tree)
  return await frozen.keep()
}

/**
 * As {@link captureFork}, of a stopped machine that can be kept, and without the one step that takes
 * longer the more RAM there is.
 *
 * @throws VmStatesError as {@link captureFork}
 */
export async function freezeFork(
  machine: CapturableMachine,
  directory: string,
  tree?: string,
): Promise<FrozenMachine> {
  const { disks, process, ram } = machine
  const [kept, devices] = [join(directory, 'ram'), join(directory, 'devices')]
  const snapshot = join(directory, 'devices.qcow2')
  const cleanUp = async () => {
    const files = disks.filter(({ readOnly }) => !readOnly).map((disk) => keptPath(disk, directory))
    for (const file of [...files, kept, devices, partOf(devices), snapshot])
      await rm(file, { force: true })
  }
  const filesWith = (ram: string | undefined, disks: readonly Disk[]): StateFiles => {
    const memory = {
      ...(ram && { ram, snapshot }),
      ...{ size: process.options.memory, devices },
    }
    return { liveness: 'live', backend: 'fork', disks, memory }
  }
  try {
    // First: to save devices the other way closes all disks.
    if (ram !== undefined) await saveDeviceSnapshot(process.qmp, snapshot)
    await saveDeviceState(process.qmp, devices, { withoutSharedRam: ram !== undefined })
    await quit(process)
    await leaveBoot(machine)
    const moved: Disk[] = []
    for (const disk of disks) moved.push(await keepDisk(disk, directory, tree))
    const keep = async () => {
      await ram?.keep(kept).catch(async (error: unknown) => {
        await cleanUp()
        throw error
      })
      return filesWith(ram && kept, moved)
    }
    return { files: filesWith(ram?.path, moved), keep }
  } catch (error) {
    await cleanUp()
    throw error
  } finally {
    await process.close()
  }
}
