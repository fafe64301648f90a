import { nameOf } from '../definitions/name-of.js'
import { parentsOf } from '../definitions/parents-of.js'
import type { StateKind } from '../definitions/state-kind.js'
import type { AnyState } from '../definitions/types.js'
import { type BuildTask, bootTaskOf, taskOf } from '../graph/build-task.js'
import type { Context } from '../graph/context.js'
import { findState } from '../graph/find-state.js'

/** A state that was defined, and what the store has of it. */
export interface StateDescription {
  /** As people call it: `debian/nginx`, `debian/nginx booted`. */
  name: string
  kind: StateKind
  /** The names of what it stands on. */
  parents: readonly string[]
  /** What the store has; undefined if the state is not there, as for a root, which is an image. */
  stored: StoredDescription | undefined
}

/** A state in the store. */
export interface StoredDescription {
  /** Where its files are. */
  directory: string
  builtAt: Date
  /** Seconds that it took to build. */
  seconds: number
}

/**
 * Tells what the store has of a state. Changes nothing.
 *
 * @throws VmStatesError where the key cannot be told, as for an image that is missing
 */
export async function describeState(state: AnyState, context: Context): Promise<StateDescription> {
  // Of a root it says whether the image can be told.
  await context.keyOf(state)
  const task = await taskOf(state, context)
  return {
    name: nameOf(state),
    kind: task === undefined ? 'image' : state.liveness,
    parents: parentsOf(state).map(nameOf),
    stored: task && (await describeStored(task, context)),
  }
}

/** Tells what the store has of the kept boot of a state. Changes nothing. */
export async function describeBoot(state: AnyState, context: Context): Promise<StateDescription> {
  const task = await bootTaskOf(state, context)
  const stored = await describeStored(task, context)
  return { name: task.name, kind: 'boot', parents: [nameOf(state)], stored }
}

/** Tells what the store has of a state, and of its kept boot if that is there. Changes nothing. */
export async function describeWithBoot(
  state: AnyState,
  context: Context,
): Promise<StateDescription[]> {
  const described = await describeState(state, context)
  if (state.liveness === 'live') return [described]
  const boot = await describeBoot(state, context)
  return boot.stored === undefined ? [described] : [described, boot]
}

async function describeStored(
  task: BuildTask,
  context: Context,
): Promise<StoredDescription | undefined> {
  const found = await findState(task, context)
  if (found === undefined) return undefined
  const { directory, manifest } = found.object
  return {
    directory,
    builtAt: new Date(manifest.createdAt),
    seconds: found.meta.seconds,
  }
}
