import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isVmStatesError, VmStatesError } from '../../params/errors.js'
import { fileTail } from '../../qemu/machine/file-tail.js'
import type { MappedRam } from '../../qemu/machine/launch-options.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import { loadDeviceState } from '../../qemu/migration/device-state.js'
import type { PreparedMachine, Purpose, SavedMemory, StateFiles } from '../backend.js'
import { createOverlays } from '../create-overlays.js'
import { OwnRam } from './own-ram.js'
import { rewindTo } from './rewind.js'

const LOG_BYTES = 4096

/**
 * Makes overlays on the disks of a live state. Its RAM is mapped as it is, or copied where the machine
 * will be captured itself; where it is with the devices, it is read.
 *
 * @param directory - existing and empty
 * @throws VmStatesError `DISK_FULL`, `ACCESS_DENIED`, `IMAGE_MISSING`, `STATE_NOT_LOADED`
 */
export async function prepareFork(
  { disks, memory }: StateFiles,
  purpose: Purpose,
  directory: string,
): Promise<PreparedMachine> {
  if (memory === undefined) throw new TypeError('a state that fork captured has RAM')
  await requireDeviceState(memory)
  const overlays = await createOverlays(disks, directory)
  const own =
    purpose === 'live' ? await OwnRam.create(memory.size, directory, memory.ram) : undefined
  const rewind = purpose === 'test' ? rewindTo({ memory, disks, overlays, directory }) : undefined
  return {
    disks: overlays,
    ...(own && { ram: own }),
    launch: { ram: ramOf(memory, own), incoming: memory.devices },
    load: (process) => load(process, memory),
    ...(rewind && { rewind }),
  }
}

function ramOf({ ram }: SavedMemory, own: OwnRam | undefined): MappedRam | undefined {
  if (own !== undefined) return { path: own.path, shared: true }
  return ram === undefined ? undefined : { path: ram, shared: false }
}

/** At the end of a stream before its start, QEMU 7.2 waits for ever. */
async function requireDeviceState({ devices }: SavedMemory): Promise<void> {
  const { size } = await stat(devices).catch(() => ({ size: 0 }))
  if (size > 0) return
  throw new VmStatesError('STATE_NOT_LOADED', `the device state ${devices} is missing or empty`)
}

/** A QEMU that cannot load a state says why in its log, and ends. */
async function load(
  { qmp, options }: MachineProcess,
  { devices, ram }: SavedMemory,
): Promise<void> {
  try {
    await loadDeviceState(qmp, devices, { withoutSharedRam: ram !== undefined })
  } catch (cause) {
    const said = (await fileTail(join(options.directory, 'qemu.log'), LOG_BYTES)).trim()
    if (said === '' || isVmStatesError(cause, 'TIMEOUT')) throw cause
    const text = `the device state ${devices} cannot be loaded: ${said.split('\n').at(-1)}`
    throw new VmStatesError('STATE_NOT_LOADED', text, { cause, hint: said })
  }
}
