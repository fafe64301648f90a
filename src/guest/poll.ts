import { setTimeout as delay } from 'node:timers/promises'
import { monotonic } from '../params/clocks.js'
import { isVmStatesError } from '../params/errors.js'
import { abortedError, type Patience, withDeadline } from '../qemu/deadline.js'
import { GuestError } from './guest-error.js'

/** Milliseconds between two looks: a fifth of the time so far, within these. */
const SHORTEST_WAIT = 20
const LONGEST_WAIT = 500

/** Milliseconds that the last look gets at least. */
const SHORTEST_LOOK = 1000

/**
 * Milliseconds that a look may take.
 *
 * @param start - when the wait began, by `monotonic()`
 * @param timeout - of the whole wait, in milliseconds
 */
export function lookTimeout(start: number, timeout: number): number {
  const left = start + timeout - monotonic()
  return Math.round(Math.max(left, Math.min(timeout, SHORTEST_LOOK)))
}

/**
 * Looks again and again until there is something.
 *
 * @param what - what is waited for, as the error of a cancelled wait names it
 * @param look - undefined where there is nothing yet
 * @param late - says what was missing, and what else is known, when the time is over
 * @throws GuestError `TIMEOUT`; VmStatesError `ABORTED`; whatever `look` throws
 */
export async function poll<T>(
  what: string,
  look: () => Promise<T | undefined>,
  { timeout, signal }: Patience & { timeout: number },
  late: () => Promise<{ message: string; hint?: string | undefined }>,
): Promise<T> {
  const start = monotonic()
  for (;;) {
    if (signal?.aborted) throw abortedError(what, signal)
    const patience = { timeout: lookTimeout(start, timeout), signal }
    const found = await withDeadline(look(), what, patience).catch((error: unknown) => {
      if (!isVmStatesError(error, 'TIMEOUT') || error instanceof GuestError) throw error
      throw new GuestError('TIMEOUT', `${what}: the guest did not answer within ${timeout} ms`)
    })
    if (found !== undefined) return found
    const elapsed = monotonic() - start
    if (elapsed >= timeout) {
      const { message, hint } = await late()
      throw new GuestError('TIMEOUT', message, { hint })
    }
    const wait = Math.min(Math.max(elapsed / 5, SHORTEST_WAIT), LONGEST_WAIT)
    await delay(wait, undefined, { signal }).catch(() => {})
  }
}
