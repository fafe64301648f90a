import type { GuestError } from '../guest-error.js'

/** What goes through a channel at the moment: all of it ends with the channel, whatever the guest does. */
export class CallsUnderWay {
  readonly #ends = new Set<(reason: () => GuestError) => void>()
  readonly #whenClosed = new AbortController()
  #closed: (() => GuestError) | undefined

  /** For what has not begun in the guest when the channel is closed: nobody waits for it any more. */
  get closed(): AbortSignal {
    return this.#whenClosed.signal
  }

  /**
   * Begins something, and has it reject as soon as the channel is closed.
   *
   * @throws GuestError what the channel was closed with; what `begin` throws
   */
  begin<T>(begin: () => Promise<T>): Promise<T> {
    const closed = this.#closed
    if (closed !== undefined) return Promise.reject(closed())
    return new Promise((resolve, reject) => {
      const end = (reason: () => GuestError) => reject(reason())
      this.#ends.add(end)
      begin()
        .finally(() => this.#ends.delete(end))
        .then(resolve, reject)
    })
  }

  /** Ends all of it, now and later. */
  close(reason: () => GuestError): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    for (const end of this.#ends) end(reason)
    this.#whenClosed.abort()
  }
}
