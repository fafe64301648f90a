import type { GuestError } from '../guest-error.js'
import type { GuestProcess } from '../guest-process.js'

/** The serial console of a machine for as long as a handle stands for it. */
export class ConsoleFeed {
  readonly serial: GuestProcess['serial']
  #ended: { reason: () => GuestError; isGone: boolean } | undefined

  constructor(serial: GuestProcess['serial']) {
    this.serial = serial
  }

  /**
   * What comes from a place on, once something does.
   *
   * @param isOver - whether the wait is over; nothing is returned then
   * @throws GuestError what it was ended with; of a machine that is gone, all is read before
   */
  async next(from: number, isOver: () => boolean = () => false): Promise<Buffer> {
    if (this.#ended?.isGone === false) throw this.#ended.reason()
    const bytes = await this.serial.next(from, () => this.#ended !== undefined || isOver())
    if (this.#ended !== undefined && (bytes.length === 0 || !this.#ended.isGone)) {
      throw this.#ended.reason()
    }
    return bytes
  }

  /** All that has come since the machine was restored, and what comes, until it ends. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    for (let place = this.serial.start; ; ) {
      const bytes = await this.next(place).catch((error: unknown) => {
        if (this.#ended === undefined) throw error
      })
      if (bytes === undefined) return
      place += bytes.length
      yield bytes
    }
  }

  /** The handle stands for another machine, or for none: nothing more is read. */
  detach(reason: () => GuestError): void {
    this.#ended ??= { reason, isGone: false }
  }

  /** The machine has ended: what came before can be read. */
  gone(reason: () => GuestError): void {
    this.#ended ??= { reason, isGone: true }
  }
}
