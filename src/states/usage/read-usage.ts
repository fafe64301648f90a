import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseFields } from '../../store/files/parse-json.js'
import { inStore, unlessMissing } from '../../store/files/storage-error.js'
import type { Store } from '../../store/store.js'
import { type Usage, usageFile } from './usage.js'

/** The version of the file's format. */
export const USAGE_FORMAT = 1

/**
 * Which test files use which states, as `recordUsage` has kept it. Nothing is known of a project whose
 * tests have not run with the plugin yet.
 *
 * @param projectRoot - the directory of `states.config.ts`, or Vitest's root where there is none
 * @throws VmStatesError `ACCESS_DENIED`
 */
export async function readUsage(store: Store, projectRoot: string): Promise<Usage> {
  const file = usageFile(store.root, resolve(projectRoot))
  const text = await inStore(file, () => unlessMissing(readFile(file, 'utf8')))
  const { format, files, buildSeconds } = parseFields(text ?? '')
  // Only a hint for people and for the order of files: what another version wrote counts as nothing.
  if (format !== USAGE_FORMAT) return { files: {}, buildSeconds: {} }
  return { files: only(isNames, files), buildSeconds: only(isNumber, buildSeconds) }
}

/** The fields that are as they were written: the file may have been edited, or damaged. */
function only<T>(isRight: (value: unknown) => value is T, fields: unknown): Record<string, T> {
  const entries = Object.entries(fields ?? {})
  return Object.fromEntries(entries.filter((entry): entry is [string, T] => isRight(entry[1])))
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string')
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}
