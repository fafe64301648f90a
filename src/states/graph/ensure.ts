import { VmStatesError } from '../../params/errors.js'
import { keepsBoot } from '../definitions/keeps-boot.js'
import { type AnyState, DETAILS } from '../definitions/types.js'
import type { AvailableState } from './available-state.js'
import { BuildError } from './build-error.js'
import { buildState } from './build-state.js'
import { type BuildTask, bootTaskOf, taskOf } from './build-task.js'
import type { Context } from './context.js'
import { leaseState } from './find-state.js'
import { rootState } from './root-state.js'
import { tellStale } from './stale-builds.js'
import { together } from './together.js'
import { whyStale } from './why-stale.js'

/** How long work may go on. */
export interface EnsureOptions {
  signal?: AbortSignal | undefined
  /** Build the state although it is there; what stands on the one that is there stays as it is. */
  rebuild?: boolean
}

/**
 * Makes a state available: as it is in the store, or built now, with the states that it stands on.
 * When several processes ask at the same moment, one builds and the others wait for it.
 *
 * @returns the state with leases on its files; to be released
 * @throws VmStatesError `STATE_NOT_BUILT` if it is not in the store, or out of date, and builds are off,
 *   `BUILD_FAILED` with the step and the log, also for a state that failed before and is not to be
 *   tried again ({@link Context.failures}), `ABORTED`
 */
export async function ensure(
  state: AnyState,
  context: Context,
  options: EnsureOptions = {},
): Promise<AvailableState> {
  const { sources } = state[DETAILS]
  if (sources !== undefined) {
    return await together(state, sources, (source) => ensure(source, context, options))
  }
  const task = await taskOf(state, context)
  if (task === undefined) return await rootState(state, context, options.signal)
  return await once(task, context, options)
}

/**
 * Makes the implicit live state `boot` of a disk state available: the machine booted and ready.
 *
 * @throws VmStatesError as {@link ensure}
 */
export async function ensureBoot(
  state: AnyState,
  context: Context,
  options: EnsureOptions = {},
): Promise<AvailableState> {
  context.bootsAsked.add(state)
  return await once(await bootTaskOf(state, context), context, options)
}

async function once(
  task: BuildTask,
  context: Context,
  { signal, rebuild = false }: EnsureOptions,
): Promise<AvailableState> {
  const { store, report } = context
  const { key } = task.key
  const there = rebuild ? undefined : await leaseState(task, context)
  if (there !== undefined) return there
  if (task.liveness === 'live') await tellStale(task, context)
  if (context.build === 'never') throw await notBuilt(task, context)
  await using lock = await store.lock(`state-${key}`, {
    signal,
    onWait: ({ pid, program }) =>
      report({
        kind: 'step',
        state: task.name,
        step: 'wait',
        detail: `process ${pid} (${program}) builds it`,
      }),
  })
  const builtMeanwhile = rebuild ? undefined : await leaseState(task, context)
  if (builtMeanwhile !== undefined) return builtMeanwhile
  const failed = rebuild ? undefined : context.failures.find(key)
  if (failed !== undefined) throw failed.for(task.name)
  const parent = await ensureStart(task, context, signal).catch((error: unknown) => {
    throw error instanceof BuildError ? error.for(task.name) : error
  })
  try {
    return await context.inTurn(() => buildState(task, parent, { context, lock, signal }))
  } finally {
    await parent.release()
  }
}

/**
 * What a build starts from: the parent, or where it would boot first its kept boot, if that is there
 * or was asked for anyhow. See docs/decisions/137-children-of-boots.md.
 */
async function ensureStart(
  { state, backend, parent }: BuildTask,
  context: Context,
  signal: AbortSignal | undefined,
): Promise<AvailableState> {
  // A snapshot with RAM inside of an overlay cannot be moved to another backing file.
  const mayRestore = state !== 'boot' && backend !== 'live'
  const start = async (from: AnyState) => {
    const boot = mayRestore && keepsBoot(from) && (await bootToStartFrom(from, context, signal))
    return boot || (await ensure(from, context, { signal }))
  }
  const { sources } = parent[DETAILS]
  return sources === undefined ? await start(parent) : await together(parent, sources, start)
}

async function bootToStartFrom(
  state: AnyState,
  context: Context,
  signal: AbortSignal | undefined,
): Promise<AvailableState | undefined> {
  const task = await bootTaskOf(state, context)
  const boot = context.bootsAsked.has(state)
    ? await once(task, context, { signal }).catch(ignoreFailedCapture)
    : await leaseState(task, context)
  if (boot === undefined) return undefined
  const stored = await Promise.all(boot.objects.map((id) => context.store.objects.get(id)))
  const members = Object.entries(boot.members).map(([member, files]) => [
    member,
    { ...files, isBoot: true },
  ])
  return {
    ...boot,
    members: Object.fromEntries(members),
    objects: stored.flatMap((object) => object?.manifest.parents ?? []),
  }
}

/** What keeps a boot from being kept may not keep a child from being built; what does not come up does not for it. */
function ignoreFailedCapture(error: unknown): undefined {
  if (!(error instanceof BuildError) || error.failure.step !== 'capture') throw error
}

async function notBuilt(task: BuildTask, context: Context): Promise<VmStatesError> {
  const { name, key } = task
  const { keys, root } = context.store
  const object = await keys.lookup(key.key)
  const reason = object && (await whyStale(object, task, context))
  const what =
    reason === undefined
      ? `is not in the store ${root}`
      : `in the store ${root} is out of date: ${reason}`
  return new VmStatesError('STATE_NOT_BUILT', `${name} ${what}`, {
    hint: `Builds are off (build: "never"). Build it with: states build ${name.replace(/ booted$/, '')}`,
  })
}
