import pLimit from 'p-limit'
import type { AvailableState } from './available-state.js'

/** More builds at once take longer, not shorter: each has a machine with its RAM and CPUs. */
const BUILDS_AT_ONCE = 2

/**
 * Makes several states available, some at a time.
 *
 * @param ensures - one for each state
 * @throws the first error, once all have ended; what was made available is given back then
 */
export async function ensureAll(
  ensures: readonly (() => Promise<AvailableState>)[],
): Promise<AvailableState[]> {
  const limit = pLimit(BUILDS_AT_ONCE)
  const results = await Promise.allSettled(ensures.map((ensure) => limit(ensure)))
  const states = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed === undefined) return states
  await Promise.all(states.map((state) => state.release()))
  throw failed.reason
}
