import { abortedError } from '../../qemu/deadline.js'
import type { StateKind } from '../definitions/state-kind.js'
import type { AnyState } from '../definitions/types.js'
import type { AvailableState } from './available-state.js'
import { BuildError } from './build-error.js'
import type { Context } from './context.js'
import { ensure, ensureBoot } from './ensure.js'
import { type PlannedState, planBuilds } from './plan-builds.js'

/** What became of a state that was asked for, or that one of them stands on. */
export type BuildResult = { name: string; kind: StateKind } & (
  | { outcome: 'image' | 'reused' }
  | {
      outcome: 'built'
      /** Without those for its parents. */
      seconds: number
    }
  | { outcome: 'failed'; error: unknown }
  | {
      outcome: 'not built'
      /** The name of the state that it stands on and that failed. */
      because: string
    }
)

/** How {@link buildAll} builds. */
export interface BuildAllOptions {
  /** Whether the kept boots of disk states, which tests on them start from, are built too. */
  boots?: boolean
  /** Whether the states that were asked for are built although they are there. */
  rebuild?: boolean
  signal?: AbortSignal
  /** Called when it is known what became of a state. It must not throw. */
  onResult?: (result: BuildResult) => void
}

/**
 * Builds states and what they stand on, parents first, independent branches at the same time. A
 * failure stops only what stands on it.
 *
 * @returns what became of each, parents before those that stand on them
 * @throws VmStatesError `ABORTED` when everything that was under way has ended
 */
export async function buildAll(
  states: Iterable<AnyState>,
  context: Context,
  options: BuildAllOptions = {},
): Promise<BuildResult[]> {
  const { signal, onResult } = options
  const plan = [...planBuilds(states, options)]
  // Before anything is built: what a user edits meanwhile is not what this process has read and will run. Those
  // that cannot be told are told of when it is their turn.
  await Promise.allSettled(plan.map(({ state }) => context.keyOf(state)))
  const results = new Map<PlannedState, Promise<BuildResult>>()
  for (const planned of plan) {
    const parents = planned.parents.map((parent) => results.get(parent))
    const boots = planned.startsFrom.map((boot) => results.get(boot))
    const result = Promise.all([Promise.all(parents), ...boots]).then(async ([done]) => {
      const { name, kind } = planned
      const because = done.map(failureOf).find((failed) => failed !== undefined)
      if (because !== undefined) return { name, kind, outcome: 'not built', because } as const
      return await build(planned, context, signal)
    })
    results.set(planned, result)
    if (onResult !== undefined) void result.then(onResult)
  }
  const done = await Promise.all(results.values())
  if (signal?.aborted) throw abortedError('building states', signal)
  return done
}

/** The name of the state whose failure keeps those that stand on this one from being built. */
function failureOf(result: BuildResult | undefined): string | undefined {
  if (result?.outcome === 'failed') return result.name
  return result?.outcome === 'not built' ? result.because : undefined
}

async function build(
  planned: PlannedState,
  context: Context,
  signal: AbortSignal | undefined,
): Promise<BuildResult> {
  const { name, kind } = planned
  try {
    const available = await makeAvailable(planned, context, signal)
    await available.release()
    if (kind === 'image') return { name, kind, outcome: 'image' }
    const { builtIn } = available
    if (builtIn === undefined) return { name, kind, outcome: 'reused' }
    return { name, kind, outcome: 'built', seconds: builtIn }
  } catch (error) {
    // Another one has failed, which is told of by itself: the boot that it would start from.
    const because = error instanceof BuildError ? error.failure.state : name
    if (planned.startsFrom.some((boot) => boot.name === because)) {
      return { name, kind, outcome: 'not built', because }
    }
    return { name, kind, outcome: 'failed', error }
  }
}

async function makeAvailable(
  { state, kind, rebuild }: PlannedState,
  context: Context,
  signal: AbortSignal | undefined,
): Promise<AvailableState> {
  if (signal?.aborted) throw abortedError('building states', signal)
  if (kind === 'boot') return await ensureBoot(state, context, { signal, rebuild })
  // The boot of the state that is there would be restored in the place of the new one; so would that which
  // another process makes of it meanwhile.
  const isBooted = rebuild && state.liveness === 'disk'
  if (isBooted) await forgetBoot(state, context)
  const available = await ensure(state, context, { signal, rebuild })
  if (isBooted) await forgetBoot(state, context)
  return available
}

async function forgetBoot(state: AnyState, context: Context): Promise<void> {
  const { key } = await context.bootKeyOf(state)
  await context.store.keys.remove(key)
}
