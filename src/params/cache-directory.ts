import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/**
 * The user's cache directory for this package (XDG Base Directory Specification: a relative
 * `XDG_CACHE_HOME` is ignored).
 */
export function cacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment.XDG_CACHE_HOME
  const root =
    base !== undefined && isAbsolute(base) ? base : join(environment.HOME || homedir(), '.cache')
  return join(root, 'vitest-vm-states')
}
