import type { StateMeta } from './state-meta.js'

/** A state of the store as people call it: `debian/nginx`, `debian/nginx booted`. */
export function storedName({ owner, state, parent }: StateMeta): string {
  return state === 'boot' ? `${owner}/${parent} booted` : `${owner}/${state}`
}
