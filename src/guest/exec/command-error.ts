import type { ErrorCode } from '../../params/error-codes.js'
import { isVmStatesError } from '../../params/errors.js'
import { GuestError } from '../guest-error.js'
import type { CommandResult } from './result.js'

/** Characters of each output in an error's message; all of it is in its fields. */
const MAX_SHOWN = 4096

function shownOutput(title: string, output: string | Buffer): string {
  const text = output.toString().trim()
  if (text === '') return ''
  return `\n\n${title}:\n${text.length > MAX_SHOWN ? `…${text.slice(-MAX_SHOWN)}` : text}`
}

/**
 * A command in the guest that failed, was killed, or printed more than could be kept. It carries what
 * its result would, after the model of execa's error, with what the command had printed until then.
 * Recognise it with {@link isCommandError}.
 */
export class CommandError extends GuestError implements CommandResult<string | Buffer> {
  override readonly name = 'CommandError'
  readonly command: string
  readonly stdout: string | Buffer
  readonly stderr: string | Buffer
  readonly exitCode: number | undefined
  readonly signal: string | undefined
  readonly duration: number
  readonly failed = true
  /** Whether the call's `timeout` had passed. */
  readonly timedOut: boolean
  /** Whether the call's `signal` had fired. */
  readonly isCanceled: boolean

  /** Whether the guest did not answer when the command was to be killed: whether it has ended is not known. */
  readonly isGuestSilent: boolean

  /** @param message - what happened, in one line with the command */
  constructor(
    code: ErrorCode,
    message: string,
    result: CommandResult<string | Buffer>,
    {
      isGuestSilent = false,
      ...details
    }: { hint?: string | undefined; cause?: unknown; isGuestSilent?: boolean } = {},
  ) {
    super(code, message, details)
    this.command = result.command
    this.stdout = result.stdout
    this.stderr = result.stderr
    this.exitCode = result.exitCode
    this.signal = result.signal
    this.duration = result.duration
    this.timedOut = code === 'TIMEOUT'
    this.isGuestSilent = isGuestSilent
    this.isCanceled = code === 'ABORTED'
    this.message += shownOutput('stderr', result.stderr) + shownOutput('stdout', result.stdout)
  }
}

/** Whether a value is a {@link CommandError}; works across realms and copies of the package. */
export function isCommandError(error: unknown): error is CommandError {
  return isVmStatesError(error) && error.name === 'CommandError' && 'command' in error
}
