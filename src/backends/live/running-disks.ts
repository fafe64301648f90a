import { stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import type { ImageTarget } from '../image-backend.js'
import { type BlockDevice, type Monitor, queryBlockDevices } from './block-devices.js'

/**
 * The monitor of the machine that runs on a target's disks.
 *
 * @throws VmStatesError `MACHINE_NOT_RUNNING` if the caller gave none
 */
export function requireMonitor({ process, disks }: ImageTarget): Monitor {
  if (process !== undefined) return process.qmp
  const files = disks.map(({ file }) => file).join(', ')
  throw new VmStatesError('MACHINE_NOT_RUNNING', `${files}: a live state needs a running machine`, {
    hint: 'Start QEMU with -qmp unix:PATH,server=on,wait=off and give that path.',
  })
}

/**
 * The drives of a running machine that a target's disks are, in the target's order.
 *
 * @throws VmStatesError `DISK_NOT_IN_MACHINE`
 */
export async function runningDisks(
  monitor: Pick<Monitor, 'execute'>,
  disks: readonly Disk[],
): Promise<BlockDevice[]> {
  const devices = await queryBlockDevices(monitor)
  const found: BlockDevice[] = []
  for (const { file } of disks) {
    const matches = await Promise.all(devices.map((device) => isFile(device, file)))
    const device = devices[matches.indexOf(true)]
    if (device === undefined) throw notInMachine(file, devices)
    found.push(device)
  }
  return found
}

async function isFile({ file }: BlockDevice, path: string): Promise<boolean> {
  // A relative path is relative to the directory that QEMU was started in, which is not known.
  if (!isAbsolute(file)) return path.endsWith(`/${file.replace(/^\.\//, '')}`)
  const [one, other] = await Promise.all(
    [stat(file), stat(path)].map((found) => found.catch(() => undefined)),
  )
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev
}

function notInMachine(file: string, devices: readonly BlockDevice[]): VmStatesError {
  const drives = devices.map((device) => device.file).join(', ')
  return new VmStatesError('DISK_NOT_IN_MACHINE', `${file} is no drive of the running machine`, {
    hint: drives === '' ? 'It has none.' : `It has: ${drives}`,
  })
}
