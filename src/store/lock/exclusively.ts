import { readlinkSync, symlinkSync, unlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemCode } from '../files/storage-error.js'
import { watchForDeath } from '../owner/death-watch.js'
import { newOwnerRecord } from '../owner/owner-record.js'
import { lockFiles } from './lock-files.js'
import { take } from './take.js'

/** Milliseconds between two tries: whoever is inside is out again within a fraction of one. */
const PAUSE = { shortest: 1, longest: 4 }

/**
 * Runs something short and synchronous while nobody else does so under the same name: in this
 * process, another one, or another PID namespace. Without a heartbeat, which would take longer than
 * the work itself: an owner elsewhere that stands still for four seconds in the midst of it counts
 * as dead.
 *
 * @param locks - the directory of locks
 * @param work - must not wait for anything; what it throws is thrown
 */
export async function exclusively<Result>(
  locks: string,
  name: string,
  work: () => Result,
): Promise<Result> {
  const files = lockFiles(locks, name)
  const me = newOwnerRecord()
  const text = JSON.stringify(me)
  const isDead = watchForDeath()
  while (!claimNow(files.record, text)) {
    if ((await take(locks, files, me, isDead)) === undefined) break
    await sleep(PAUSE.shortest + Math.random() * (PAUSE.longest - PAUSE.shortest))
  }
  try {
    return work()
  } finally {
    releaseNow(files.record, text)
  }
}

// Synchronously: between the claim and the work this process must not turn to anything else.
function claimNow(record: string, owner: string): boolean {
  try {
    symlinkSync(owner, record)
    return true
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false
    throw error
  }
}

function releaseNow(record: string, owner: string): void {
  try {
    if (readlinkSync(record) === owner) unlinkSync(record)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
}
