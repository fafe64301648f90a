import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { layoutOf } from '../../store/layout.js'

/** What the tests of a project make of its states, as their runs so far have shown. */
export interface Usage {
  /** The states that each test file names, by the file's path relative to the project's root. */
  readonly files: Readonly<Record<string, readonly string[]>>
  /** Seconds that the last build of each state took, without those for its parents. */
  readonly buildSeconds: Readonly<Record<string, number>>
}

/** Where it is known under: the same words for the same project, whatever its path holds. */
export function usageName(projectRoot: string): string {
  return `usage-${createHash('sha256').update(projectRoot).digest('hex').slice(0, 32)}`
}

/** The file that keeps the usage of a project. */
export function usageFile(storeRoot: string, projectRoot: string): string {
  return join(layoutOf(storeRoot).usage, `${usageName(projectRoot)}.json`)
}
