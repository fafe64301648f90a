// By import, since a test may put a clock of its own in the place of the global ones.
import { clearTimeout, setTimeout } from 'node:timers'
import type { ErrorCode } from '../params/error-codes.js'
import { VmStatesError } from '../params/errors.js'

/** How long a caller is ready to wait. */
export interface Patience {
  /** Milliseconds. */
  timeout?: number | undefined
  signal?: AbortSignal | undefined
}

/** The error of an operation that its caller cancelled. */
export function abortedError(what: string, signal: AbortSignal): VmStatesError {
  return new VmStatesError('ABORTED', `${what} was cancelled`, { cause: signal.reason })
}

/**
 * Settles as `promise` does, unless the deadline or the signal comes first. What the promise stands
 * for goes on; its later rejection is nobody's.
 *
 * @param what - the operation, as the error names it
 * @throws VmStatesError `TIMEOUT` or `ABORTED`
 */
export function withDeadline<T>(
  promise: Promise<T>,
  what: string,
  { timeout, signal }: Patience,
  timeoutCode: ErrorCode = 'TIMEOUT',
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => {
            settle()
            reject(new VmStatesError(timeoutCode, `${what} did not end within ${timeout} ms`))
          }, timeout)
    const onAbort = () => {
      settle()
      reject(abortedError(what, signal as AbortSignal))
    }
    const settle = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
    promise.then(
      (value) => {
        settle()
        resolve(value)
      },
      (error: unknown) => {
        settle()
        reject(error)
      },
    )
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort)
  })
}
