import type { StoredObject } from '../../store/objects/manifest.js'
import { readMeta } from '../graph/state-meta.js'
import { storedName } from '../graph/stored-name.js'

/**
 * What an object of the store is: an image, a state, its kept boot, what a failed test left, or what
 * somebody has kept, which cannot be built again.
 */
export type ObjectKind = 'image' | 'state' | 'boot' | 'failure' | 'kept'

/** An object as people call it: the name of its state, or its key for an image. */
export function objectName(object: StoredObject): string {
  const meta = readMeta(object)
  return meta === undefined ? object.manifest.key : storedName(meta)
}

/** Tells images from states, of whatever version of this package. */
export function objectKind(object: StoredObject): ObjectKind {
  if (object.manifest.key.startsWith('image-')) return 'image'
  const meta = readMeta(object)
  if (meta?.kept !== undefined) return meta.kept.test === undefined ? 'kept' : 'failure'
  return meta?.state === 'boot' ? 'boot' : 'state'
}
