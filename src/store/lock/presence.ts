import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { newNonce } from '../names.js'
import { acquireLock } from './acquire.js'
import type { Lock } from './lock.js'

/**
 * This process, as others see it in the store: a lock that it holds while it lives. Drafts, leases
 * and runs name it, so that what a dead process left behind can be told from what is in use.
 */
export class Presence {
  readonly name = `_process-${newNonce()}`
  readonly #locks: string
  #lock: Promise<Lock> | undefined

  constructor(locks: string) {
    this.#locks = locks
  }

  /** Makes this process visible; to be called before it makes anything that names it. */
  async announce(): Promise<void> {
    this.#lock ??= this.#acquire()
    try {
      await this.#lock
    } catch (error) {
      this.#lock = undefined
      throw error
    }
  }

  /** @throws VmStatesError `LOCK_LOST` if others have taken this process for dead */
  async assertHeld(): Promise<void> {
    await (await this.#lock)?.assertHeld()
  }

  /** Ends the presence: what names it may be reaped. */
  async end(): Promise<void> {
    const lock = await this.#lock
    this.#lock = undefined
    process.off('exit', this.#endAtExit)
    await lock?.release()
  }

  async #acquire(): Promise<Lock> {
    const lock = await acquireLock(this.#locks, this.name)
    process.on('exit', this.#endAtExit)
    return lock
  }

  readonly #endAtExit = (): void => {
    try {
      unlinkSync(join(this.#locks, this.name))
    } catch {
      // the next reap finds that the process is gone
    }
  }
}
