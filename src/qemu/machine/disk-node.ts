import { blockNode } from './block-node.js'
import type { Disk } from './launch-options.js'

/** A disk's block node, as `-blockdev` and `blockdev-add` take it. */
export function diskNode(disk: Disk): Readonly<Record<string, unknown>> {
  return {
    driver: disk.format,
    'node-name': blockNode(disk),
    'read-only': disk.readOnly === true,
    discard: 'unmap',
    // Files that are to be kept are fsynced as a whole when they are.
    cache: { 'no-flush': true },
    file: { driver: 'file', filename: disk.file },
  }
}
