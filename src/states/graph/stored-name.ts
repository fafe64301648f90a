import type { StateMeta } from './state-meta.js'

/** A state of the store as people call it: `debian/nginx`, `debian/nginx booted`. */
export function storedName({ machine, state, parent }: StateMeta): string {
  return state === 'boot' ? `${machine}/${parent} booted` : `${machine}/${state}`
}
