// By import, since a test may put a clock of its own in the place of the global ones.
import { clearTimeout, setTimeout } from 'node:timers'
import type { ExecOptions } from './options.js'

/** Why a command is stopped from outside. */
export type Stop =
  | { code: 'TIMEOUT' | 'ABORTED'; how: string; cause?: unknown }
  /** Whoever takes its output threw an error. */
  | { thrown: unknown }

/**
 * Watches for what stops a command: its deadline, its signal, or a failure that is told.
 *
 * @returns the first of them, how to tell of a failure, and how to end watching
 */
export function watchStop({ timeout, signal }: Pick<ExecOptions, 'timeout' | 'signal'>): {
  stopped: Promise<Stop>
  fail(error: unknown): void
  end(): void
} {
  let stop!: (reason: Stop) => void
  const stopped = new Promise<Stop>((resolve) => {
    stop = resolve
  })
  const onAbort = () => stop({ code: 'ABORTED', how: 'was cancelled', cause: signal?.reason })
  const onTimeout = () => stop({ code: 'TIMEOUT', how: `timed out after ${timeout} ms` })
  const timer = timeout === undefined ? undefined : setTimeout(onTimeout, timeout)
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  return {
    stopped,
    fail: (thrown) => stop({ thrown }),
    end: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    },
  }
}
