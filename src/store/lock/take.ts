import { rename, symlink, unlink } from 'node:fs/promises'
import { systemCode, unlessMissing } from '../files/storage-error.js'
import type { IsDead } from '../owner/death-watch.js'
import { type OwnerRecord, readOwner } from '../owner/owner-record.js'
import { heirFiles, type LockFiles, readHeartbeat } from './lock-files.js'

async function claim(record: string, owner: OwnerRecord): Promise<boolean> {
  try {
    await symlink(JSON.stringify(owner), record)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

/**
 * Tries once to take a lock.
 *
 * A dead owner's record may be replaced only by its heir, and whoever wants to be the heir takes a
 * lock for that, named after the dead owner's nonce - in this same way, since an heir may die too.
 * Nonces are never used again, so a process that looked long ago finds, once it is the heir, that
 * another owner's record is there, and leaves it alone.
 *
 * @returns the living owner that is in the way; undefined if `me` holds the lock now
 */
export async function take(
  locks: string,
  files: LockFiles,
  me: OwnerRecord,
  isDead: IsDead,
): Promise<OwnerRecord | undefined> {
  while (!(await claim(files.record, me))) {
    const owner = await readOwner(files.record)
    if (owner === undefined) continue
    if (!(await isDead(owner, () => readHeartbeat(files)))) return owner
    const heir = heirFiles(locks, owner.nonce)
    const rival = await take(locks, heir, me, isDead)
    if (rival !== undefined) return rival
    const isStillThere = (await readOwner(files.record))?.nonce === owner.nonce
    const bury = isStillThere ? rename(heir.record, files.record) : unlink(heir.record)
    const isDone = (await unlessMissing(bury.then(() => isStillThere))) ?? false
    if (isDone) return undefined
  }
  return undefined
}
