import { stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { wallClock } from '../../params/clocks.js'
import { systemCode, unlessMissing } from '../files/storage-error.js'
import { MANIFEST_FILE } from './manifest.js'

/** Errors that only mean that the time cannot be kept: the object was removed, or is another user's. */
const HARMLESS = new Set(['ENOENT', 'EPERM', 'EACCES', 'EROFS'])

/**
 * Keeps when an object was last used: as the time of change of its manifest, whose content never
 * changes. That takes one call, survives crashes, and goes along when a store is copied with times.
 */
export async function markUsed(directory: string, at: Date = new Date(wallClock())): Promise<void> {
  try {
    await utimes(join(directory, MANIFEST_FILE), at, at)
  } catch (error) {
    if (!HARMLESS.has(systemCode(error) ?? '')) throw error
  }
}

/** When an object was last used, or made; undefined if it is not there. */
export async function lastUseOf(directory: string): Promise<Date | undefined> {
  return (await unlessMissing(stat(join(directory, MANIFEST_FILE))))?.mtime
}
