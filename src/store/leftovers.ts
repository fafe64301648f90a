import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode, unlessMissing } from './files/storage-error.js'
import type { Census } from './lock/census.js'
import { newNonce } from './names.js'

const DRAFT_NAME = /^\.draft-(?<presence>.+)~[^~]+$/
const REMOVED_PREFIX = '.removed-'

/** The name of a directory in the making; it tells whose it is. */
export function draftName(presence: string, id: string): string {
  return `.draft-${presence}~${id}`
}

/** A new name for a directory that is about to be deleted. */
export function removedName(): string {
  return `${REMOVED_PREFIX}${newNonce()}`
}

/**
 * Deletes what a dead process left. A tool that it had started may still write there, such as one
 * that unpacks packages: then the rest is left to the next reap.
 *
 * @returns whether all of it is gone
 */
export async function removeLeftover(path: string): Promise<boolean> {
  try {
    await rm(path, { recursive: true, force: true })
    return true
  } catch (error) {
    if (systemCode(error) !== 'ENOTEMPTY') throw error
    return false
  }
}

/**
 * Deletes the drafts in a directory whose makers are gone, and what is left of removed things.
 *
 * @returns how many drafts
 */
export async function reapLeftovers(directory: string, census: Census): Promise<number> {
  const names = (await unlessMissing(readdir(directory))) ?? []
  const reaped = names.map(async (name) => {
    const presence = DRAFT_NAME.exec(name)?.groups?.presence
    const isDraft = presence !== undefined && (await census.isGone(presence))
    if (!isDraft && !name.startsWith(REMOVED_PREFIX)) return false
    return (await removeLeftover(join(directory, name))) && isDraft
  })
  return (await Promise.all(reaped)).filter((isDraft) => isDraft).length
}
