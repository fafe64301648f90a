import type { GuestAccess } from '../guest-access.js'

/** The serial console of a machine, which QEMU writes to a file from power-on. */
export class GuestConsole {
  readonly #access: GuestAccess

  /** @internal */
  constructor(access: GuestAccess) {
    this.#access = access
  }

  /** Absolute path of the log, on the host. */
  get path(): string {
    return this.#access.process.consoleFile
  }

  /**
   * The end of the console, as it came over the line.
   *
   * @param maxBytes - how much at most; 4096 by default
   */
  tail(maxBytes?: number): Promise<string> {
    return this.#access.call(this.tail, ({ process }) => process.consoleTail(maxBytes))
  }
}
