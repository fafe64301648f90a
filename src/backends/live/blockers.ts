import { VmStatesError } from '../../params/errors.js'
import { type BlockDevice, type Monitor, queryBlockDevices } from './block-devices.js'
import { findChanges } from './changes.js'

/**
 * What prevents a live state of a running machine, in words: writable drives that are not qcow2 or
 * not among `nodes`, and devices that QEMU cannot save (it lists them as `blocked-reasons` of
 * `query-migrate`).
 *
 * @param nodes - the block nodes whose content a live state keeps
 */
async function findBlockers(
  monitor: Pick<Monitor, 'execute'>,
  nodes: readonly string[],
): Promise<string[]> {
  const [devices, migration, changes] = await Promise.all([
    queryBlockDevices(monitor),
    monitor.execute('query-migrate') as Promise<{ 'blocked-reasons'?: string[] }>,
    findChanges(monitor),
  ])
  const drives = devices.flatMap((device) => driveBlocker(device, nodes) ?? [])
  return [...drives, ...changes, ...(migration['blocked-reasons'] ?? [])]
}

function driveBlocker(device: BlockDevice, nodes: readonly string[]): string | undefined {
  const { node, file, driver, readOnly } = device
  if (readOnly) return undefined
  if (driver !== 'qcow2') return `the drive ${file} is writable and ${driver}, not qcow2`
  if (!nodes.includes(node)) return `the drive ${file} is writable and not among the disks to keep`
  return undefined
}

/**
 * Refuses a machine that cannot be kept as a live state. Cheap enough to be asked before a setup.
 *
 * @throws VmStatesError `SAVE_BLOCKED`, naming everything that is in the way
 */
export async function requireSavable(
  monitor: Pick<Monitor, 'execute'>,
  nodes: readonly string[],
  machine: string,
): Promise<void> {
  const blockers = await findBlockers(monitor, nodes)
  if (blockers.length === 0) return
  throw new VmStatesError(
    'SAVE_BLOCKED',
    `${machine} cannot be kept as a live state: ${blockers.join('; ')}`,
    {
      hint: "Make such drives read-only or qcow2 disks of the machine, and remove such devices. A machine with boot: 'cold' has no kept boots, and may have them on disk states.",
    },
  )
}
