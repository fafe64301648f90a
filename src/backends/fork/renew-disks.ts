import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { VmStatesError } from '../../params/errors.js'
import { blockNode } from '../../qemu/machine/block-node.js'
import { diskNode } from '../../qemu/machine/disk-node.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import type { QmpClient } from '../../qemu/qmp/client.js'
import { createOverlays } from '../create-overlays.js'

/** A drive's name for no disk at all. */
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
 */
export async function renewDisks(
  qmp: QmpClient,
  disks: readonly Disk[],
  overlays: readonly Disk[],
): Promise<void> {
  const drives = (await qmp.execute('query-block')) as Drive[]
  await qmp.execute('blockdev-add', { driver: 'null-co', 'node-name': NOTHING })
  for (const overlay of overlays.filter(({ readOnly }) => !readOnly)) {
    const node = blockNode(overlay)
    const path = drives.find(({ inserted }) => inserted?.['node-name'] === node)?.qdev
    if (path === undefined) throw new VmStatesError('QMP_COMMAND_FAILED', `no drive has ${node}`)
    const insert = (value: string) => qmp.execute('qom-set', { path, property: 'drive', value })
    await insert(NOTHING)
    await qmp.execute('blockdev-del', { 'node-name': node })
    await rm(overlay.file)
    const own = disks.filter(({ name }) => name === overlay.name)
    await createOverlays(own, dirname(overlay.file))
    await qmp.execute('blockdev-add', diskNode(overlay))
    await insert(node)
  }
  await qmp.execute('blockdev-del', { 'node-name': NOTHING })
}
