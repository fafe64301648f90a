import { rmdir, unlink } from 'node:fs/promises'
import { VmStatesError } from '../../params/errors.js'
import { tracer } from '../../params/trace.js'
import { systemCode, unlessMissing } from '../files/storage-error.js'
import { describeOwner, type OwnerRecord, readOwner } from '../owner/owner-record.js'
import type { LockFiles } from './lock-files.js'

const trace = tracer('lock')

const HEARTBEAT_INTERVAL = 1000

/** A lock that this process holds. */
export class Lock implements AsyncDisposable {
  readonly name: string
  readonly #files: LockFiles
  readonly #owner: OwnerRecord
  #stopHeartbeat: (() => Promise<void>) | undefined

  constructor(name: string, files: LockFiles, owner: OwnerRecord) {
    this.name = name
    this.#files = files
    this.#owner = owner
  }

  /**
   * Makes sure that the lock is still held; to be called right before what it protects is made
   * visible. It is lost only to a process of another PID namespace, after this process has stood
   * still for seconds.
   *
   * @throws VmStatesError `LOCK_LOST`
   */
  async assertHeld(): Promise<void> {
    const owner = await readOwner(this.#files.record)
    if (owner?.nonce === this.#owner.nonce) return
    const now = owner === undefined ? 'nobody' : describeOwner(owner)
    throw new VmStatesError(
      'LOCK_LOST',
      `the lock ${this.name} was taken over: ${now} holds ${this.#files.record}`,
      { hint: 'This process stood still for too long. Run it again.' },
    )
  }

  /** Gives the lock back. Does nothing if it was lost. */
  async release(): Promise<void> {
    await this.#stopHeartbeat?.()
    this.#stopHeartbeat = undefined
    if (await this.#isMine()) await unlessMissing(unlink(this.#files.record))
    trace('%s: given back', this.name)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  /** Starts to show processes that cannot see this one that it lives. */
  async startHeartbeat(): Promise<void> {
    const { default: properLockfile } = await import('proper-lockfile')
    const start = () =>
      properLockfile.lock(this.#files.record, {
        lockfilePath: this.#files.heartbeat,
        realpath: false,
        stale: Number.POSITIVE_INFINITY,
        update: HEARTBEAT_INTERVAL,
        onCompromised: () => void this.#resumeHeartbeat(),
      })
    try {
      this.#stopHeartbeat = ignoreReleased(await start())
    } catch (error) {
      if (systemCode(error) !== 'ELOCKED') throw error
      await unlessMissing(rmdir(this.#files.heartbeat))
      this.#stopHeartbeat = ignoreReleased(await start())
    }
  }

  async #resumeHeartbeat(): Promise<void> {
    this.#stopHeartbeat = undefined
    try {
      if (await this.#isMine()) await this.startHeartbeat()
    } catch {
      // assertHeld tells whoever depends on it
    }
  }

  async #isMine(): Promise<boolean> {
    return (await readOwner(this.#files.record))?.nonce === this.#owner.nonce
  }
}

function ignoreReleased(release: () => Promise<void>): () => Promise<void> {
  return async () => {
    try {
      await release()
    } catch (error) {
      if (systemCode(error) !== 'ERELEASED' && systemCode(error) !== 'ENOTACQUIRED') throw error
    }
  }
}
