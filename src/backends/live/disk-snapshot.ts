import { blockNode } from '../../qemu/machine/block-node.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import type { LiveSnapshot } from './snapshot.js'

/** The tag of the one snapshot that the files of a live state hold. */
const TAG = 'live'

/** The disks that a live state holds the content of. */
export function writableDisks(disks: readonly Disk[]): Disk[] {
  return disks.filter((disk) => !disk.readOnly)
}

/** The snapshot that a live state is, in the nodes of a machine that we launched. */
export function snapshotOf(disks: readonly Disk[]): LiveSnapshot {
  const nodes = writableDisks(disks).map(blockNode)
  return { tag: TAG, nodes, vmstate: nodes[0] ?? '' }
}
