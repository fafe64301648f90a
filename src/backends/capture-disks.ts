import { rm } from 'node:fs/promises'
import type { Disk } from '../qemu/machine/launch-options.js'
import type { CapturableMachine } from './backend.js'
import { keepDisk, keptPath } from './keep-disk.js'
import { leaveBoot } from './leave-boot.js'
import { writableDisks } from './live/disk-snapshot.js'

/** Milliseconds from the guest's last word to the end of its QEMU. */
const END_TIMEOUT = 60_000

/**
 * Moves the disks of a guest that has shut down into the directory of a state, and ends the machine.
 *
 * @param directory - existing and empty; nothing is left in it if this fails
 * @param tree - the directory that it and what the disks stand on are in; by default, its own
 * @param finish - what else is done to a writable disk's file, once no QEMU has it open
 * @throws VmStatesError `GUEST_NOT_SHUT_DOWN` if the guest did not shut down cleanly
 */
export async function captureDisks(
  machine: CapturableMachine,
  directory: string,
  tree?: string,
  finish: (file: string) => Promise<void> = async () => {},
): Promise<Disk[]> {
  const { disks, process } = machine
  const writable = disks.filter(({ readOnly }) => !readOnly)
  try {
    await process.waitForShutdown({ timeout: END_TIMEOUT })
    await leaveBoot(machine)
    for (const { file } of writableDisks(disks)) await finish(file)
    const kept: Disk[] = []
    for (const disk of disks) kept.push(await keepDisk(disk, directory, tree))
    return kept
  } catch (error) {
    await Promise.all(writable.map((disk) => rm(keptPath(disk, directory), { force: true })))
    throw error
  } finally {
    await process.close()
  }
}
