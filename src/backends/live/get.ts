import { VmStatesError } from '../../params/errors.js'
import { withImagesLocked } from '../image/lock.js'
import { stateMissing } from '../image/state-missing.js'
import type { ImageTarget } from '../image-backend.js'
import { findLiveState } from './live-state.js'
import { requireMonitor, runningDisks } from './running-disks.js'
import { loadSnapshot } from './snapshot.js'
import { rowsOf } from './tables.js'

/**
 * See `ImageBackend.get`. A running machine runs on from the state; a paused one stays paused.
 *
 * @throws VmStatesError `MACHINE_NOT_RUNNING`, `DISK_NOT_IN_MACHINE`, `STATE_MISSING`,
 *   `INVALID_NAME` for a tag that QEMU would take for another snapshot's ID
 */
export async function getLive(target: ImageTarget, name: string): Promise<void> {
  const monitor = requireMonitor(target)
  const files = target.disks.map(({ file }) => file)
  await withImagesLocked(files, async () => {
    const disks = await runningDisks(monitor, target.disks)
    const tables = disks.map(rowsOf)
    const state = findLiveState(tables, name)
    if (state === undefined) throw stateMissing(target.disks, name)
    if (tables.flat().some(({ id, tag }) => id === state.tag && tag !== state.tag)) {
      throw new VmStatesError('INVALID_NAME', `"${name}" is also the ID of another snapshot`, {
        hint: 'QEMU would load that one. Set the state again under another name.',
      })
    }
    const nodes = disks.map(({ node }) => node)
    const vmstate = nodes[state.vmstateIndex] ?? ''
    await loadSnapshot(monitor, { tag: state.tag, nodes, vmstate })
  })
}
