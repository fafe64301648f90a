import { createHash } from 'node:crypto'
import type { Disk } from './launch-options.js'

/** QEMU's limit is 31 characters for a node name. */
const MAX_NAME_LENGTH = 26

/**
 * The name of a disk's block node in QEMU: `disk-` and the disk's name, shortened with a digest
 * where QEMU has no room for it.
 */
export function blockNode(disk: Pick<Disk, 'name'>): string {
  if (disk.name.length <= MAX_NAME_LENGTH) return `disk-${disk.name}`
  const digest = createHash('sha256').update(disk.name).digest('hex').slice(0, 12)
  return `disk-${disk.name.slice(0, MAX_NAME_LENGTH - 13)}-${digest}`
}
