import { keepsBoot } from '../definitions/keeps-boot.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import { type BuildTask, bootTaskOf, taskOf } from './build-task.js'
import type { Context } from './context.js'
import { findForeignBuild, type LiveBuild, readLiveBuilds, showEmulator } from './foreign-builds.js'

/**
 * Tells, once for each machine or environment, that its live states and kept boots were made with another
 * QEMU, and what it takes to make them again. To be called when one of them is not there.
 */
export async function tellStale(task: BuildTask, context: Context): Promise<void> {
  const { owner } = task.definition[DETAILS]
  const what = `stale ${owner.name}`
  if (context.told.has(what)) return
  context.told.add(what)
  const builds = await readLiveBuilds(context.store)
  const stale: LiveBuild[] = []
  for (const each of await liveTasks(owner[DETAILS].states.values(), context)) {
    if ((await context.store.keys.idOf(each.key.key)) !== undefined) continue
    const build = await findForeignBuild(each, builds, context)
    if (build !== undefined) stale.push(build)
  }
  if (stale.length === 0) return
  const seconds = stale.reduce((sum, { meta }) => sum + meta.seconds, 0)
  const made = new Set(stale.map(({ meta }) => showEmulator(meta.parts.emulator)))
  const states = stale.length === 1 ? '1 live state' : `${stale.length} live states`
  const text =
    `this is ${showEmulator(task.key.parts.emulator)}: ${states} of ${owner.name} made with ` +
    `${[...made].join(' and ')} cannot be used here; making them took ${seconds.toFixed(1)} s`
  context.report({ kind: 'notice', about: 'stale', state: owner.name, text })
}

/** What is live of some states: they themselves, or their boots. Those whose key cannot be told count not. */
async function liveTasks(states: Iterable<AnyState>, context: Context): Promise<BuildTask[]> {
  const tasks = [...states].map(async (state) =>
    state.liveness === 'live'
      ? await taskOf(state, context)
      : keepsBoot(state)
        ? await bootTaskOf(state, context)
        : undefined,
  )
  const settled = await Promise.allSettled(tasks)
  return settled.flatMap((each) => (each.status === 'fulfilled' ? (each.value ?? []) : []))
}
