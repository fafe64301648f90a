import { VmStatesError } from '../../params/errors.js'
import type { MachineProcess } from '../../qemu/machine/machine-process.js'
import type { CapturableMachine } from '../backend.js'
import { requireSavable } from '../live/blockers.js'
import { snapshotOf } from '../live/disk-snapshot.js'

interface MemoryDevice {
  type: string
  data: { id?: string }
}

/**
 * Refuses a machine that cannot be kept: one with drives or devices that QEMU cannot save, or with
 * devices that change RAM behind the guest's back. These would write to the file of a state that other
 * machines map.
 *
 * @throws VmStatesError `SAVE_BLOCKED`, naming what is in the way
 */
export async function requireForkable({ disks, process, ram }: CapturableMachine): Promise<void> {
  await requireSavable(process.qmp, snapshotOf(disks).nodes, process.options.name)
  if (ram !== undefined) await requireQuietRam(process)
}

async function requireQuietRam({ qmp, options }: MachineProcess): Promise<void> {
  const [hasBalloon, devices] = await Promise.all([
    // QEMU answers with an error where there is none.
    qmp.execute('query-balloon').then(
      () => true,
      () => false,
    ),
    qmp.execute('query-memory-devices') as Promise<MemoryDevice[]>,
  ])
  const named = devices.map(({ type, data }) => `the memory device ${data.id ?? ''} (${type})`)
  const found = [...(hasBalloon ? ['a balloon'] : []), ...named]
  if (found.length === 0) return
  throw new VmStatesError(
    'SAVE_BLOCKED',
    `${options.name} cannot be kept as a live state: it has ${found.join(', ')}`,
    { hint: 'Such devices change RAM behind the back of a state that others use. Remove them.' },
  )
}
