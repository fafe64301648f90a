import { withImagesLocked } from '../image/lock.js'
import type { ImageTarget } from '../image-backend.js'
import { type BlockDevice, type Monitor, queryBlockDevices } from './block-devices.js'
import { requireSavable } from './blockers.js'
import { findLiveState, pendingTag } from './live-state.js'
import { requireMonitor, runningDisks } from './running-disks.js'
import { deleteSnapshot, saveSnapshot } from './snapshot.js'
import { rowsOf } from './tables.js'

/**
 * See `ImageBackend.set`. The guest is stopped meanwhile, and goes on if it ran before. A state of
 * that name is there until the new one is, at the price of saving RAM twice: QEMU has no rename.
 *
 * @throws VmStatesError `MACHINE_NOT_RUNNING`, `DISK_NOT_IN_MACHINE`, `SAVE_BLOCKED`,
 *   `QMP_COMMAND_FAILED`
 */
export async function setLive(target: ImageTarget, name: string): Promise<void> {
  const monitor = requireMonitor(target)
  const files = target.disks.map(({ file }) => file)
  await withImagesLocked(files, async () => {
    const nodes = (await runningDisks(monitor, target.disks)).map(({ node }) => node)
    await requireSavable(monitor, nodes, files.join(', '))
    const { running } = (await monitor.execute('query-status')) as { running: boolean }
    if (running) await monitor.execute('stop')
    try {
      await replace(monitor, target, name)
    } finally {
      if (running) await monitor.execute('cont')
    }
  })
}

async function replace(monitor: Monitor, target: ImageTarget, name: string): Promise<void> {
  const pending = pendingTag(name)
  const disks = await runningDisks(monitor, target.disks)
  const old = findLiveState(disks.map(rowsOf), name)
  const nodes = disks.map(({ node }) => node)
  const save = (tag: string) => saveSnapshot(monitor, { tag, nodes, vmstate: nodes[0] ?? '' })
  if (old?.tag === name) {
    await deleteWhereFound(monitor, nodes, pending)
    await save(pending)
  }
  await deleteWhereFound(monitor, nodes, name)
  await save(name)
  await deleteWhereFound(monitor, nodes, pending)
}

/** Deletes every snapshot with a tag, also one that only some of the disks have. */
export async function deleteWhereFound(
  monitor: Monitor,
  nodes: readonly string[],
  tag: string,
): Promise<void> {
  const holders = (await queryBlockDevices(monitor)).filter(
    (device) => nodes.includes(device.node) && hasTag(device, tag),
  )
  if (holders.length === 0) return
  await deleteSnapshot(monitor, { tag, nodes: holders.map(({ node }) => node) })
  await deleteWhereFound(monitor, nodes, tag)
}

function hasTag(device: BlockDevice, tag: string): boolean {
  return device.snapshots.some(({ name }) => name === tag)
}
