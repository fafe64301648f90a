import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { saveDeviceState } from '../../qemu/migration/device-state.js'
import { partOf } from '../../qemu/migration/migration-uri.js'
import type { CapturableMachine, SavedMemory, StateFiles } from '../backend.js'
import { keepDisk, keptPath } from '../keep-disk.js'
import { leaveBoot } from '../leave-boot.js'
import { quit } from '../quit.js'
import { createDeviceSnapshot, saveDeviceSnapshot } from './device-snapshot.js'
import { requireForkable } from './forkable.js'

/** A machine that was captured, but for its RAM. */
export interface FrozenMachine {
  disks: readonly Disk[]
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
    await readyToFreeze(machine, directory)
    await machine.process.qmp.execute('stop')
  } catch (error) {
    await machine.process.close()
    await rm(snapshotPath(directory), { force: true })
    throw error
  }
  const frozen = await freezeFork(machine, directory, tree)
  return await frozen.keep()
}

/**
 * Does what {@link freezeFork} needs and can be done while the guest runs.
 *
 * @throws VmStatesError `SAVE_BLOCKED`, `QEMU_IMG_FAILED`
 */
export async function readyToFreeze(machine: CapturableMachine, directory: string): Promise<void> {
  await requireForkable(machine)
  if (machine.ram !== undefined) await createDeviceSnapshot(snapshotPath(directory))
}

/**
 * As {@link captureFork}, of a stopped machine, after {@link readyToFreeze}, and without the one step that
 * takes longer the more RAM there is.
 *
 * @param onMemory - called when all but the disks is written
 * @throws VmStatesError as {@link captureFork}
 */
export async function freezeFork(
  machine: CapturableMachine,
  directory: string,
  tree?: string,
  onMemory: (memory: SavedMemory) => void = () => {},
): Promise<FrozenMachine> {
  const { disks, process, ram } = machine
  const [kept, devices] = [join(directory, 'ram'), join(directory, 'devices')]
  const snapshot = snapshotPath(directory)
  const cleanUp = async () => {
    const files = disks.filter(({ readOnly }) => !readOnly).map((disk) => keptPath(disk, directory))
    for (const file of [...files, kept, devices, partOf(devices), snapshot])
      await rm(file, { force: true })
  }
  const memoryWith = (ram: string | undefined): SavedMemory => ({
    ...(ram && { ram, snapshot }),
    ...{ size: process.options.memory, devices },
  })
  try {
    // First: to save devices the other way closes all disks.
    if (ram !== undefined) await saveDeviceSnapshot(process.qmp, snapshot)
    await saveDeviceState(process.qmp, devices, { withoutSharedRam: ram !== undefined })
    onMemory(memoryWith(ram?.path))
    await quit(process)
    await leaveBoot(machine)
    const moved: Disk[] = []
    for (const disk of disks) moved.push(await keepDisk(disk, directory, tree))
    const keep = async () => {
      await ram?.keep(kept).catch(async (error: unknown) => {
        await cleanUp()
        throw error
      })
      const memory = memoryWith(ram && kept)
      return { liveness: 'live', backend: 'fork', disks: moved, memory } as const
    }
    return { disks: moved, keep }
  } catch (error) {
    await cleanUp()
    throw error
  } finally {
    await process.close()
  }
}

function snapshotPath(directory: string): string {
  return join(directory, 'devices.qcow2')
}
