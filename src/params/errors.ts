import { type ErrorCode, errorCodes } from './error-codes.js'

/** What an error carries besides its message. */
export interface ErrorDetails {
  /** What the reader can do next, as one sentence. */
  hint?: string | undefined
  /** What led to this error. */
  cause?: unknown
}

/**
 * Any error that this package throws on purpose. It says what is wrong in one line, and in `hint`
 * what to do next. Recognise it with {@link isVmStatesError}, which works across realms and copies
 * of the package.
 */
export class VmStatesError extends Error {
  override readonly name: string = 'VmStatesError'
  readonly code: ErrorCode
  readonly hint: string | undefined

  /**
   * @param code - one of the codes in `docs/errors.md`
   * @param message - one line: what is wrong, with the path and the value
   */
  constructor(code: ErrorCode, message: string, { hint, cause }: ErrorDetails = {}) {
    super(
      hint === undefined ? message : `${message}\n  ${hint}`,
      cause === undefined ? undefined : { cause },
    )
    this.code = code
    this.hint = hint
  }

  /** The exit code of the `states` command when it ends with this error. */
  get exit(): 1 | 2 | 3 {
    return errorCodes[this.code].exit
  }
}

/**
 * Whether a value is an error of this package, optionally with a given code.
 *
 * @param code - when given, the error must have exactly this code
 */
export function isVmStatesError(error: unknown, code?: ErrorCode): error is VmStatesError {
  if (!(error instanceof Error) || !('code' in error)) return false
  if (typeof error.code !== 'string' || !(error.code in errorCodes)) return false
  return code === undefined || error.code === code
}
