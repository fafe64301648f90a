import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { blockNode } from '../../qemu/machine/block-node.js'
import { diskNode } from '../../qemu/machine/disk-node.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import type { QmpClient } from '../../qemu/qmp/client.js'
import { createOverlays } from '../create-overlays.js'
import { writableDisks } from '../live/disk-snapshot.js'

/** A disk that drives have while theirs is replaced. */
const NOTHING = 'nothing'

interface Drive {
  qdev?: string
  inserted?: { 'node-name'?: string }
}

/**
 * Gives a stopped machine empty overlays for those that it has, under the same names.
 *
 * @param disks - of the state, which the overlays stand on
 * @param overlays - of the machine
 * @throws VmStatesError `QMP_COMMAND_FAILED`, `DISK_FULL`, `IMAGE_MISSING`; the machine is unusable then
 */
export async function renewDisks(
  qmp: QmpClient,
  disks: readonly Disk[],
  overlays: readonly Disk[],
): Promise<void> {
  const own = writableDisks(overlays)
  if (own.length === 0) return
  const drives = (await qmp.execute('query-block')) as Drive[]
  // QEMU has the old ones open.
  for (const { name, file } of own) {
    await rm(file)
    await createOverlays(
      disks.filter((disk) => disk.name === name),
      dirname(file),
    )
  }
  // QEMU takes one after the other.
  await Promise.all([
    qmp.execute('blockdev-add', { driver: 'null-co', 'node-name': NOTHING }),
    ...own.flatMap((overlay) => replaceNode(qmp, driveOf(overlay, drives), overlay)),
    qmp.execute('blockdev-del', { 'node-name': NOTHING }),
  ])
}

function driveOf(disk: Disk, drives: readonly Drive[]): string {
  const node = blockNode(disk)
  const path = drives.find(({ inserted }) => inserted?.['node-name'] === node)?.qdev
  if (path === undefined) throw new VmStatesError('QMP_COMMAND_FAILED', `no drive has ${node}`)
  return path
}

function replaceNode(qmp: QmpClient, path: string, overlay: Disk): Promise<unknown>[] {
  const node = blockNode(overlay)
  const insert = (value: string) => qmp.execute('qom-set', { path, property: 'drive', value })
  return [
    insert(NOTHING),
    qmp.execute('blockdev-del', { 'node-name': node }),
    qmp.execute('blockdev-add', diskNode(overlay)),
    insert(node),
  ]
}
