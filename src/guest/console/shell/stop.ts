import { monotonic } from '../../../params/clocks.js'
import type { Patience } from '../../../qemu/deadline.js'

/** Characters of what came that an error shows. */
const SHOWN = 500

/** Whether what goes on is to be stopped, for those who look again and again. */
export class Stop {
  readonly #deadline: number
  readonly #signal: AbortSignal | undefined

  constructor({ timeout, signal }: Patience) {
    this.#deadline = monotonic() + (timeout ?? Number.POSITIVE_INFINITY)
    this.#signal = signal
  }

  /** As this, but no later than in so many milliseconds. */
  within(timeout: number): Stop {
    const left = Math.min(timeout, this.#deadline - monotonic())
    return new Stop({ timeout: left, signal: this.#signal })
  }

  /** Why it is. */
  get code(): 'TIMEOUT' | 'ABORTED' | undefined {
    if (this.#signal?.aborted) return 'ABORTED'
    return monotonic() >= this.#deadline ? 'TIMEOUT' : undefined
  }

  /** Why, as the caller's signal says. */
  get cause(): unknown {
    return this.#signal?.reason
  }

  /**
   * @param came - what came instead of what was waited for, if anyone wants to know
   * @throws Stopped
   */
  throwIfStopped(came?: string): void {
    if (this.code === undefined) return
    throw new Stopped(
      came === undefined ? '' : `: what came is ${JSON.stringify(came.slice(-SHOWN))}`,
    )
  }
}

/** Something was given up, since it was to be stopped. */
export class Stopped extends Error {}
