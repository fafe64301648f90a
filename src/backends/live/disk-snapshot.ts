import { blockNode } from '../../qemu/machine/block-node.js'
import type { Disk } from '../../qemu/machine/launch-options.js'
import type { LiveSnapshot } from './snapshot.js'

/** The tag of the one snapshot that the files of a live state hold. */
const TAG = 'live'

/** The disks that a state holds the content of as images. */
export function writableDisks(disks: readonly Disk[]): Disk[] {
  return disks.filter(({ readOnly, role }) => !readOnly && role !== 'tpm')
}

/**
 * The snapshot that a live state is, in the nodes of a machine that we launched. RAM is where the
 * human monitor's `loadvm` looks for it: on QEMU's first writable drive, and flash comes before others.
 */
export function snapshotOf(disks: readonly Disk[]): LiveSnapshot {
  const kept = writableDisks(disks)
  const first = kept.find(({ role }) => role === 'variables') ?? kept[0]
  return { tag: TAG, nodes: kept.map(blockNode), vmstate: first ? blockNode(first) : '' }
}
