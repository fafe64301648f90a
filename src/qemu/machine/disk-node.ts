import type { Cache } from '../../params/drives.js'
import { blockNode } from './block-node.js'
import type { Disk } from './launch-options.js'

/** A disk's block node, as `-blockdev` and `blockdev-add` take it. */
export function diskNode(disk: Disk): Readonly<Record<string, unknown>> {
  return {
    driver: disk.format,
    'node-name': blockNode(disk),
    'read-only': disk.readOnly === true,
    discard: 'unmap',
    cache: cacheOf(disk.cache),
    file: { driver: 'file', filename: disk.file, ...(isDirect(disk.cache) && DIRECT) },
  }
}

/** The caches of a file's protocol node are its own. */
const DIRECT = { cache: { direct: true } }

function isDirect(cache: Cache | undefined): boolean {
  return cache === 'none' || cache === 'directsync'
}

function cacheOf(cache: Cache = 'unsafe'): Readonly<Record<string, boolean>> {
  return { ...(isDirect(cache) && { direct: true }), 'no-flush': cache === 'unsafe' }
}
