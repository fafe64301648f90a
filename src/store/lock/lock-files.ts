import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessMissing } from '../files/storage-error.js'

const HEARTBEAT_PREFIX = '.heartbeat-'
const HEIR_PREFIX = '.heir-'

/** The files of one lock. */
export interface LockFiles {
  /** A symbolic link whose target is the owner's record; it exists while the lock is held. */
  record: string
  /** proper-lockfile's directory; its time of change goes on while the owner lives. */
  heartbeat: string
}

/** The files of the lock called `name`; names that users choose never start with `_` or `.`. */
export function lockFiles(locks: string, name: string): LockFiles {
  return { record: join(locks, name), heartbeat: join(locks, `${HEARTBEAT_PREFIX}${name}`) }
}

/** The right to bury a dead owner, held like a lock. */
export function heirFiles(locks: string, nonce: string): LockFiles {
  return lockFiles(locks, `${HEIR_PREFIX}${nonce}`)
}

/** The name of the lock that a file in the directory of locks belongs to. */
export function lockNameOf(file: string): string {
  return file.startsWith(HEARTBEAT_PREFIX) ? file.slice(HEARTBEAT_PREFIX.length) : file
}

/** What tells one beat of an owner's heart from the next. */
export async function readHeartbeat({ heartbeat }: LockFiles): Promise<string> {
  const stats = await unlessMissing(stat(heartbeat))
  return stats === undefined ? 'none' : String(stats.mtimeMs)
}
