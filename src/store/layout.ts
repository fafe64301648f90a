import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** The version of the store's layout that this package reads and writes. */
export const STORE_FORMAT = 1

/** Where everything in a store is. */
export interface Layout {
  readonly root: string
  readonly formatFile: string
  readonly objects: string
  readonly keys: string
  readonly locks: string
  readonly leases: string
  readonly admissions: string
  readonly runs: string
  /** Which test files use which states, a file for each project. */
  readonly usage: string
  /** The private key that guests of this store's states are logged in to with. */
  readonly sshKey: string
}

/** The paths of a store. */
export function layoutOf(root: string): Layout {
  return {
    root,
    formatFile: join(root, 'store.json'),
    objects: join(root, 'objects'),
    keys: join(root, 'keys'),
    locks: join(root, 'locks'),
    leases: join(root, 'leases'),
    admissions: join(root, 'admissions'),
    runs: join(root, 'runs'),
    usage: join(root, 'usage'),
    sshKey: join(root, 'ssh_key'),
  }
}

/**
 * Where the store is unless someone says otherwise: in the user's cache directory.
 *
 * @see https://specifications.freedesktop.org/basedir-spec (a relative `XDG_CACHE_HOME` is ignored)
 */
export function defaultStoreRoot(environment: NodeJS.ProcessEnv = process.env): string {
  const cache = environment.XDG_CACHE_HOME
  const base = cache !== undefined && isAbsolute(cache) ? cache : join(homedir(), '.cache')
  return join(base, 'vitest-vm-states')
}
