import { readdir, rm, rmdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { wallClock } from '../params/clocks.js'
import { unlessMissing } from './files/storage-error.js'
import { UNFINISHED_PREFIX } from './files/write-atomically.js'
import { isDeadForLong } from './lock/census.js'
import { lockFiles, lockNameOf } from './lock/lock-files.js'
import { take } from './lock/take.js'
import { newOwnerRecord, readOwner } from './owner/owner-record.js'

/** A half-written file is deleted when it is older than this, in ms: writing one takes no time. */
const UNFINISHED_FOR = 3_600_000

/** Deletes the records of dead owners, each under the lock that it was for. */
export async function reapLocks(locks: string): Promise<void> {
  const files = (await unlessMissing(readdir(locks))) ?? []
  await Promise.all([...new Set(files.map(lockNameOf))].map((name) => reapLock(locks, name)))
}

async function reapLock(locks: string, name: string): Promise<void> {
  const files = lockFiles(locks, name)
  const owner = await readOwner(files.record)
  if (owner !== undefined && !(await isDeadForLong(owner, files))) return
  const isDead = (other: { nonce: string }) => Promise.resolve(other.nonce === owner?.nonce)
  const rival = await take(locks, files, newOwnerRecord(), isDead)
  if (rival !== undefined) return
  await unlessMissing(rmdir(files.heartbeat))
  await unlessMissing(unlink(files.record))
}

/** Deletes what processes that died left half-written in a directory. */
export async function reapUnfinished(directory: string): Promise<void> {
  const names = (await unlessMissing(readdir(directory))) ?? []
  await Promise.all(
    names
      .filter((name) => name.startsWith(UNFINISHED_PREFIX))
      .map(async (name) => {
        const path = join(directory, name)
        const stats = await unlessMissing(stat(path))
        if (stats === undefined || wallClock() - stats.mtimeMs < UNFINISHED_FOR) return
        await rm(path, { force: true })
      }),
  )
}
