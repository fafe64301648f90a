import type { Amount } from './need.js'

/** Memory that was admitted ahead, for machines of this process. */
export class Reserve {
  readonly #free: Amount
  readonly #release: () => Promise<void>
  #users = 0
  #isEnding = false

  /** @param release - called when it has ended and is not in use any more */
  constructor({ memory, machines }: Amount, release: () => Promise<void>) {
    this.#free = { memory, machines }
    this.#release = release
  }

  /** Takes some of it; undefined if it is not there. */
  draw({ memory, machines }: Amount): { release(): Promise<void> } | undefined {
    if (memory > this.#free.memory || machines > this.#free.machines) return undefined
    this.#free.memory -= memory
    this.#free.machines -= machines
    this.#users += 1
    let isReleased = false
    const release = async () => {
      if (isReleased) return
      isReleased = true
      this.#free.memory += memory
      this.#free.machines += machines
      this.#users -= 1
      await this.#releaseUnused()
    }
    return { release }
  }

  /** Ends it when the last machine in it does. */
  async end(): Promise<void> {
    this.#isEnding = true
    await this.#releaseUnused()
  }

  async #releaseUnused(): Promise<void> {
    if (this.#isEnding && this.#users === 0) await this.#release()
  }
}
