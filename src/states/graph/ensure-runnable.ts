import { keepsBoot } from '../definitions/keeps-boot.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { AvailableState } from './available-state.js'
import { bootTaskOf, taskOf } from './build-task.js'
import type { Context } from './context.js'
import { type EnsureOptions, ensure, ensureBoot } from './ensure.js'
import { fallBack } from './fall-back.js'
import { leaseState } from './find-state.js'
import { together } from './together.js'

/**
 * What a machine is up in for a test: a state as it is, or the kept boot of a disk state. An
 * environment is booted as one, unless a member boots cold. Where nothing is built, and what is there
 * is for another QEMU, the nearest disk state stands in.
 *
 * @throws VmStatesError as {@link ensure}
 */
export async function ensureRunnable(
  state: AnyState,
  context: Context,
  options: EnsureOptions = {},
): Promise<AvailableState> {
  const { sources } = state[DETAILS]
  if (sources !== undefined) {
    return await together(state, sources, (source) => ensureRunnable(source, context, options))
  }
  const isBooted = keepsBoot(state)
  if (context.build === 'never') {
    const task = await (isBooted ? bootTaskOf : taskOf)(state, context)
    if (task?.liveness === 'live') {
      const there = (await leaseState(task, context)) ?? (await fallBack(task, context, options))
      if (there !== undefined) return there
    }
  }
  return await (isBooted ? ensureBoot : ensure)(state, context, options)
}
