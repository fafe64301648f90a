import { stat } from 'node:fs/promises'
import { fileError } from '../../qemu/file-error.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import { readQcow2Header } from '../../qemu/qcow2/header.js'
import { createOverlay } from '../../qemu/qemu-img/create.js'
import type { GraphBackend, PreparedMachine, StateFiles } from '../backend.js'
import { captureDisks } from '../capture-disks.js'
import { keptPath } from '../keep-disk.js'

/**
 * Disk states as qcow2 overlays. A machine gets an empty overlay on each writable disk; when it has
 * shut down cleanly, that overlay is the new state.
 */
export const externalBackend: GraphBackend = {
  liveness: 'disk',
  prepare,
  async capture(machine, directory, tree) {
    const disks = await captureDisks(machine, directory, tree)
    return { liveness: 'disk', backend: 'external', disks }
  },
}

async function prepare(
  { disks }: StateFiles,
  _purpose: unknown,
  directory: string,
): Promise<PreparedMachine> {
  return {
    disks: await Promise.all(disks.map((disk) => overlayFor(disk, directory))),
    launch: {},
    // QEMU was started without being paused: the guest boots.
    start: async () => {},
  }
}

async function overlayFor(disk: Disk, directory: string): Promise<Disk> {
  if (disk.readOnly) return disk
  const file = keptPath(disk, directory)
  await createOverlay(file, {
    file: disk.file,
    format: disk.format,
    virtualSize: await virtualSize(disk),
  })
  return { ...disk, file, format: 'qcow2' }
}

async function virtualSize({ file, format }: Disk): Promise<number> {
  if (format === 'qcow2') return (await readQcow2Header(file)).virtualSize
  const { size } = await stat(file).catch((error: unknown) => {
    throw fileError(error, file)
  })
  return size
}
