import { isVmStatesError } from '../../params/errors.js'
import { keepsBoot } from '../definitions/keeps-boot.js'
import { nameOf } from '../definitions/name-of.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { AvailableState } from './available-state.js'
import { type BuildTask, bootTaskOf, taskOf } from './build-task.js'
import type { Context } from './context.js'
import { type EnsureOptions, ensure } from './ensure.js'
import { leaseState } from './find-state.js'
import { findForeignBuild, readLiveBuilds, showEmulator } from './foreign-builds.js'
import { tellStale } from './stale-builds.js'
import { together } from './together.js'

/**
 * What a test on a live state, or on a kept boot, starts from where it is there for another QEMU and may
 * not be built: the nearest state below it that is there, and the setups from there on, which each start
 * runs again. People are told once.
 *
 * @returns undefined where it is not there for another QEMU either, or the disk state below it is not
 */
export async function fallBack(
  task: BuildTask,
  context: Context,
  options: EnsureOptions,
): Promise<AvailableState | undefined> {
  const builds = await readLiveBuilds(context.store)
  const foreign = await findForeignBuild(task, builds, context)
  if (foreign === undefined) return undefined
  const isBoot = task.state === 'boot'
  const reached = await (isBoot
    ? ensure(task.definition, context, options)
    : reach(task.definition, context, options)
  ).catch((error: unknown) => {
    if (!isVmStatesError(error, 'STATE_NOT_BUILT')) throw error
  })
  if (reached === undefined) return undefined
  await tellStale(task, context)
  const what = `fallback ${task.name}`
  if (!context.told.has(what)) {
    context.told.add(what)
    // Without what it takes to get to what is there.
    const seconds = Math.max(foreign.meta.seconds, foreign.meta.worth - reached.worth)
    const again = reached.replays?.map(({ name }) => name).join(', ')
    const does = isBoot
      ? `boots ${nameOf(task.definition)} again`
      : `starts from ${reached.name} and runs the setup of ${again} again`
    const text =
      `${task.name} was made with ${showEmulator(foreign.meta.parts.emulator)}, and this is ` +
      `${showEmulator(task.key.parts.emulator)}: each test on it ${does}, which took ` +
      `${seconds.toFixed(1)} s, since builds are off`
    context.report({ kind: 'notice', about: 'fallback', state: task.name, text })
  }
  return reached
}

/** A state as it is there, or one below it with the setups of the live states between. */
async function reach(
  state: AnyState,
  context: Context,
  options: EnsureOptions,
): Promise<AvailableState> {
  const { sources } = state[DETAILS]
  if (sources !== undefined) {
    return await together(state, sources, (source) => reach(source, context, options))
  }
  if (state.liveness === 'disk') {
    const boot = keepsBoot(state) ? await bootTaskOf(state, context) : undefined
    const booted = boot && (await leaseState(boot, context))
    return booted ?? (await ensure(state, context, options))
  }
  const { name, parent, setup, timeout, ...task } = (await taskOf(state, context)) as BuildTask
  const there = await leaseState({ name, parent, setup, timeout, ...task }, context)
  if (there !== undefined) return there
  const below = await reach(parent, context, options)
  return { ...below, replays: [...(below.replays ?? []), { name, setup, timeout }] }
}
