import { readlinkSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { monotonic } from '../../params/clocks.js'
import { VmStatesError } from '../../params/errors.js'
import { tracer } from '../../params/trace.js'
import { watchForDeath } from '../owner/death-watch.js'
import { describeOwner, newOwnerRecord, type OwnerRecord } from '../owner/owner-record.js'
import { Lock } from './lock.js'
import { lockFiles } from './lock-files.js'
import { take } from './take.js'

const trace = tracer('lock')

/** How long a waiting process sleeps between two looks at the lock, in ms. */
const POLL = { shortest: 20, longest: 50 }

/** How long until it looks whether the owner still lives, too, in ms. */
const LOOK_CLOSELY_EVERY = 150

/** How to wait for a lock. */
export interface LockOptions {
  /** Cancels the wait. */
  signal?: AbortSignal | undefined
  /** Milliseconds to wait; 0 tries once. Without it, waits for as long as the owner lives. */
  timeout?: number | undefined
  /** Told whom the wait is for, again for every new owner. */
  onWait?: ((owner: OwnerRecord) => void) | undefined
}

/**
 * Takes a lock that excludes every other holder: in this process, another one, or another PID
 * namespace. A dead owner of this namespace and boot is replaced at once; any other one when its
 * heartbeat has stood still for four seconds.
 *
 * @param locks - the directory of locks
 * @throws VmStatesError `ABORTED`, `TIMEOUT`
 */
export async function acquireLock(
  locks: string,
  name: string,
  { signal, timeout = Number.POSITIVE_INFINITY, onWait }: LockOptions = {},
): Promise<Lock> {
  const files = lockFiles(locks, name)
  const me = newOwnerRecord()
  const isDead = watchForDeath()
  const deadline = monotonic() + timeout
  let waitingFor: string | undefined
  for (;;) {
    if (signal?.aborted) throw aborted(name, signal)
    const owner = await take(locks, files, me, isDead)
    if (owner === undefined) break
    if (owner.nonce !== waitingFor) {
      if (trace.enabled) trace('%s: waits for %s', name, describeOwner(owner))
      onWait?.(owner)
    }
    waitingFor = owner.nonce
    const left = deadline - monotonic()
    if (left <= 0) {
      throw new VmStatesError(
        'TIMEOUT',
        `the lock ${name} was not free within ${timeout} ms: ${describeOwner(owner)} holds ${files.record}`,
      )
    }
    await untilChanged(files.record, owner.nonce, Math.min(left, LOOK_CLOSELY_EVERY), name, signal)
  }
  const lock = new Lock(name, files, me)
  try {
    await lock.startHeartbeat()
    trace('%s: taken', name)
    return lock
  } catch (error) {
    await unlink(files.record)
    throw error
  }
}

// A single synchronous readlink is much cheaper than a close look through promises.
async function untilChanged(
  record: string,
  nonce: string,
  longest: number,
  name: string,
  signal?: AbortSignal,
): Promise<void> {
  const end = monotonic() + longest
  do {
    await pause(Math.min(pollInterval(), Math.max(end - monotonic(), 0)), name, signal)
  } while (monotonic() < end && isRecordOf(record, nonce))
}

function isRecordOf(record: string, nonce: string): boolean {
  try {
    return readlinkSync(record).includes(nonce)
  } catch {
    return false
  }
}

function pollInterval(): number {
  return POLL.shortest + Math.random() * (POLL.longest - POLL.shortest)
}

async function pause(duration: number, name: string, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(duration, undefined, signal && { signal })
  } catch {
    throw aborted(name, signal)
  }
}

function aborted(name: string, signal?: AbortSignal): VmStatesError {
  return new VmStatesError('ABORTED', `the wait for the lock ${name} was cancelled`, {
    cause: signal?.reason,
  })
}
