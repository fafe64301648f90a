import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { saveDeviceState } from '../../qemu/migration/device-state.js'
import type { CapturableMachine, StateFiles } from '../backend.js'
import { keepDisk, keptPath } from '../keep-disk.js'
import { writableDisks } from '../live/disk-snapshot.js'
import { quit } from '../quit.js'
import { requireForkable } from './forkable.js'

/**
 * Keeps a running machine whose RAM is in a file, and ends it: device state is written, the other
 * files are moved.
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
  const { disks, process, ram } = machine
  if (ram === undefined) throw new TypeError('only a machine with RAM of its own can be captured')
  const memory = {
    ram: join(directory, 'ram'),
    size: process.options.memory,
    devices: join(directory, 'devices'),
  }
  try {
    await requireForkable(machine)
    await process.qmp.execute('stop')
    await saveDeviceState(process.qmp, memory.devices, { withoutSharedRam: true })
    await quit(process)
    await ram.keep(memory.ram)
    const kept: Disk[] = []
    for (const disk of disks) kept.push(await keepDisk(disk, directory, tree))
    return { liveness: 'live', backend: 'fork', disks: kept, memory }
  } catch (error) {
    const files = writableDisks(disks).map((disk) => keptPath(disk, directory))
    for (const file of [...files, memory.ram, memory.devices]) await rm(file, { force: true })
    throw error
  } finally {
    await process.close()
  }
}
