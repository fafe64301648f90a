import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { wallClock } from '../../params/clocks.js'
import { unlessMissing } from '../files/storage-error.js'
import { isProvablyDead } from '../owner/death-watch.js'
import { type OwnerRecord, readOwner } from '../owner/owner-record.js'
import { type LockFiles, lockFiles, readHeartbeat } from './lock-files.js'

/** An owner elsewhere whose heartbeat is older than this, in ms, is looked at more closely. */
const SUSPICIOUS_AFTER = 30_000

/** How long its heartbeat must then stand still under our eyes, in ms; it beats every second. */
const OBSERVED_FOR = 2500

/**
 * Tells which holders of locks are gone, more slowly and more carefully than a wait for a lock
 * does: what they left behind will be deleted. Each is judged once.
 */
export class Census {
  readonly #locks: string
  readonly #verdicts = new Map<string, Promise<boolean>>()

  constructor(locks: string) {
    this.#locks = locks
  }

  /** Whether nobody holds the lock of this name any more. */
  isGone(name: string): Promise<boolean> {
    const known = this.#verdicts.get(name)
    if (known !== undefined) return known
    const verdict = this.#judge(lockFiles(this.#locks, name))
    this.#verdicts.set(name, verdict)
    return verdict
  }

  async #judge(files: LockFiles): Promise<boolean> {
    const owner = await readOwner(files.record)
    return owner === undefined || (await isDeadForLong(owner, files))
  }
}

/** Whether the owner of a lock's record is dead, judged carefully. */
export async function isDeadForLong(owner: OwnerRecord, files: LockFiles): Promise<boolean> {
  const proof = await isProvablyDead(owner)
  if (proof !== undefined) return proof
  const stats = await unlessMissing(stat(files.heartbeat))
  if (stats !== undefined && wallClock() - stats.mtimeMs < SUSPICIOUS_AFTER) return false
  const before = await readHeartbeat(files)
  await sleep(OBSERVED_FOR)
  return (await readHeartbeat(files)) === before
}
