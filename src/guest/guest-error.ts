import type { ErrorCode } from '../params/error-codes.js'
import { type ErrorDetails, VmStatesError } from '../params/errors.js'
import type { ConsoleTail } from './console/tail.js'

/**
 * What went wrong with a guest. Its message ends with the last lines of the serial console, and its
 * stack starts where the {@link Vm} was called.
 */
export class GuestError extends VmStatesError {
  override readonly name: string = 'GuestError'
  /** The message alone, without hint and console. */
  readonly shortMessage: string
  /** The last lines of the serial console, without control characters. */
  consoleTail = ''

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(code, message, details)
    this.shortMessage = message
  }

  /** An error that passed through a {@link Vm}, as one of its guest's. */
  static from(error: VmStatesError): GuestError {
    if (error instanceof GuestError) return error
    const { code, hint, message } = error
    const shortMessage = hint === undefined ? message : message.replace(`\n  ${hint}`, '')
    return new GuestError(code, shortMessage, { hint, cause: error })
  }

  /**
   * Completes the error on its way out of a {@link Vm}: errors are made where an answer arrives or a
   * timer fires, which says nothing about who called and what the guest was doing.
   *
   * @param found - what else is known of the guest, a line each
   * @param frames - the caller's stack frames, one per line
   */
  complete(tail: ConsoleTail, found: readonly string[], frames: string): this {
    this.consoleTail = tail.text
    this.message += found.map((line) => `\n  ${line}`).join('')
    if (tail.text !== '') {
      const lines = tail.text.split('\n').map((line) => `  | ${line}`)
      this.message += `\n\n  the console's last lines (${tail.path}):\n${lines.join('\n')}`
    }
    this.stack = `${this.name}: ${this.message}\n${frames}`
    return this
  }
}
